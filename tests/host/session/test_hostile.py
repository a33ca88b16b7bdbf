"""Files that are not what they seem: bounded memory, one clear sentence, and what can be read is read."""

import os
import subprocess
import sys
import time
import zlib

import pytest
import zstandard

from subtalar.errors import InputError
from subtalar.session import Recorder, open_session, read_blocks, recover, session_info, verify
from subtalar.session.recording.read.container import MAGIC

GIB = 2**30


@pytest.fixture
def recording(tmp_path, make):
    path = tmp_path / "Geh-Test é 1.mcap"
    with Recorder(path, make.sensors(), make.START, configuration={"parameters": list(range(3000))}) as recorder:
        for k, block in enumerate(make.blocks(12.0)):
            recorder.write_block(block)
            if k % 80 == 79:
                recorder.sync()
    return path


def chunk_of(unpacked: bytes, frame: bytes, claimed: int) -> bytes:
    body = bytes(16) + claimed.to_bytes(8, "little") + zlib.crc32(unpacked).to_bytes(4, "little")
    body += (4).to_bytes(4, "little") + b"zstd" + len(frame).to_bytes(8, "little") + frame
    return b"\x06" + len(body).to_bytes(8, "little") + body


def peak_mb(code: str, path) -> float:
    """Peak memory of a process that does this."""
    text = (
        "import resource, sys\nfrom subtalar.session import open_session, session_info, verify\npath = sys.argv[1]\n"
        + code
        + "\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    # A process of its own limits: what it should not take, it does not get.
    done = subprocess.run([sys.executable, "-c", text, path], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


def zeros(size: int) -> bytes:
    """A zstd frame that unpacks to so many zeros, made a piece at a time."""
    packer = zstandard.ZstdCompressor(level=1).compressobj(size=size)
    piece = bytes(2**24)
    return b"".join([*(packer.compress(piece) for _ in range(size // len(piece))), packer.flush()])


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured as Linux tells it")
def test_a_zip_bomb_is_damage_and_fills_no_memory(recording, tmp_path):
    frame = zeros(2 * GIB)
    assert len(frame) < 2**20
    content = recording.read_bytes()
    cut = content[: int(0.6 * len(content))]
    bomb = tmp_path / "bomb.mcap"
    bomb.write_bytes(cut + chunk_of(b"", frame, 2 * GIB) + chunk_of(b"", frame, 1000))
    baseline = peak_mb("session_info(path)", recording)
    told = "report = verify(path)\nassert report.status == 'not_closed' or report.damaged_places, report\n"
    assert peak_mb(told + "list(open_session(path).blocks())", bomb) < baseline + 150.0


@pytest.mark.skipif(not hasattr(os, "truncate"), reason="needs sparse files")
@pytest.mark.parametrize("beginning", [b"", MAGIC])
def test_a_gibibyte_of_zeros_is_refused_soon(tmp_path, beginning):
    path = tmp_path / "zeros.mcap"
    path.write_bytes(beginning)
    os.truncate(path, GIB)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"\.$") as caught:
        open_session(path)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 60.0


def test_a_recording_followed_by_zeros_gives_what_it_holds(recording, make):
    expected = [a.block for a in read_blocks(recording)]
    content = recording.read_bytes()
    recording.write_bytes(content[: len(content) * 3 // 4])
    os.truncate(recording, 64 * 2**20)
    found = [a.block for a in read_blocks(recording)]
    assert len(found) >= 0.6 * len(expected)
    assert all(map(make.same_bits, found, expected))
    assert verify(recording).status != "ok"


@pytest.mark.parametrize("offset", [0, 4, 60, 400, 3000])
def test_a_beginning_that_was_overwritten_costs_no_samples(recording, tmp_path, make, offset):
    expected = [a.block for a in read_blocks(recording)]
    content = bytearray(recording.read_bytes())
    content[offset : offset + 512] = bytes(range(256)) * 2
    recording.write_bytes(content)
    assert verify(recording).status == "damaged"
    report = recover(recording, tmp_path / "out.mcap")
    assert report.status == "ok"
    found = [a.block for a in read_blocks(tmp_path / "out.mcap")]
    assert len(found) == len(expected)
    assert all(map(make.same_bits, found, expected))
    assert session_info(recording)["samples"] == sum(map(len, expected))


def test_both_copies_of_the_header_at_the_beginning_may_go(recording, tmp_path):
    expected = open_session(recording)
    content = bytearray(recording.read_bytes())
    first_chunk = content.index(b"\x04\x00\x00\x00zstd")
    content[20 : first_chunk + 200] = bytes(first_chunk + 180)
    recording.write_bytes(content)
    found = open_session(recording)
    assert found.sensors == expected.sensors
    assert found.sample_count == expected.sample_count


def test_a_recording_under_another_name_is_still_one(recording):
    renamed = recording.rename(recording.with_name("notes.txt"))
    assert open_session(renamed).kind == "recording"


def test_two_sessions_at_once_do_not_touch_each_other(tmp_path, make):
    blocks = make.blocks(8.0), make.blocks(8.0, seed=8)
    paths = tmp_path / "a b.mcap", tmp_path / "ä.mcap"
    with Recorder(paths[0], make.sensors(), make.START) as one, Recorder(paths[1], make.sensors(), make.START) as two:
        for a, b in zip(*blocks, strict=False):
            one.write_block(a)
            two.write_block(b)
    for path, expected in zip(paths, blocks, strict=True):
        found = [a.block for a in read_blocks(path)]
        assert len(found) > 300
        assert all(map(make.same_bits, found, expected))
