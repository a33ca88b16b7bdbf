"""After a kill, a cut or damage, everything that had reached the file is read; nothing altered passes for sound."""

import errno
import io
import signal
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.errors import InputError, RecordingError
from subtalar.session import Recorder, durable_file, open_session, read_blocks, read_items, recover, verify
from subtalar.types import Ledger, SensorStatus

QUICK = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FRACTION = st.floats(0, 1, exclude_max=True, allow_subnormal=False)

CHILD = """
import sys, time
import numpy as np
from datetime import datetime, UTC
from subtalar.session import Recorder
from subtalar.types import BodySite, SampleBlock, SensorInfo
recorder = Recorder(sys.argv[1], [SensorInfo(BodySite.LEFT_FOOT, 100.0)], datetime.now(UTC))
k = 0
while True:
    t = np.arange(k, k + 10) / 100
    v = np.column_stack((np.sin(t), np.cos(t), t))
    recorder.write_block(SampleBlock(BodySite.LEFT_FOOT, t, t, v, -v))
    k += 10
    if k == 2000:
        recorder.sync()
        print("synced", flush=True)
    if k > 2000:
        time.sleep(0.01)
"""


class Sound(tuple):
    """Hypothesis prints fixtures when a test fails: not this one."""

    def __repr__(self):
        return "<recording>"


@pytest.fixture(scope="module")
def sound(tmp_path_factory, make):
    """A closed recording of several chunks, its bytes and the blocks in it."""
    path = tmp_path_factory.mktemp("sound") / "a.mcap"
    blocks = make.blocks(12.0)
    with Recorder(path, make.sensors(), make.START) as recorder:
        for k, block in enumerate(blocks):
            recorder.write_block(block)
            if k % 80 == 79:
                recorder.write_estimates(make.estimates(k / 100))
                recorder.sync()
    return Sound((path, path.read_bytes(), blocks))


def test_a_killed_writer_costs_nothing_that_was_synced(tmp_path):
    path = tmp_path / "killed.mcap"
    child = subprocess.Popen([sys.executable, "-c", CHILD, path], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "synced\n"
        with pytest.raises(InputError, match="is being recorded at this moment"):
            recover(path, tmp_path / "too_early.mcap")
        assert any("still being recorded" in note for note in open_session(path).notes)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    session = open_session(path)
    assert not session.closed
    assert session.duration_s >= 19.99
    assert any("was not closed" in note for note in session.notes)
    times = [t for b in session.blocks() for t in b.host_time_s]
    assert times == [k / 100 for k in range(len(times))]
    assert verify(path).status == "not_closed"

    report = recover(path, tmp_path / "whole.mcap")
    assert report.status == "ok"
    assert report.sample_count == session.sample_count
    assert verify(path).status == "not_closed"  # the source is left as it was


def test_what_damage_took_is_lost(tmp_path, make):
    path = tmp_path / "a.mcap"
    sensors = make.sensors()
    with Recorder(path, sensors, make.START) as recorder:
        for k, block in enumerate(make.blocks(12.0)):
            recorder.write_block(block)
            if k % 80 == 79:
                recorder.sync()  # several chunks, one of which is going to be damaged
        recorder.write_status([SensorStatus(info, "streaming", ledger=Ledger(1202, 7)) for info in sensors], 12.0)
    sound = open_session(path)
    assert [(sound.ledger[s.site].received, sound.ledger[s.site].lost) for s in sensors] == [(1202, 7)] * 2
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = bytes(300)
    path.write_bytes(content)
    session = open_session(path)
    read = {s.site: sum(len(b) for b in session.blocks() if b.site == s.site) for s in sensors}
    assert sum(read.values()) < 2400
    for s in sensors:
        ledger = session.ledger[s.site]
        assert (ledger.received, ledger.lost) == (read[s.site], 1209 - read[s.site])


def test_samples_after_the_last_status_were_received_all_the_same(tmp_path, make):
    crashed, sensors = tmp_path / "crashed.mcap", make.sensors()
    with Recorder(tmp_path / "a.mcap", sensors, make.START) as recorder:
        for k, block in enumerate(make.blocks(12.0)):
            recorder.write_block(block)
            if k == 600:
                recorder.write_status([SensorStatus(i, "streaming", ledger=Ledger(300, 7)) for i in sensors], 6.0)
        recorder.sync()
        crashed.write_bytes((tmp_path / "a.mcap").read_bytes())
    recover(crashed, tmp_path / "whole.mcap")
    for path in (crashed, tmp_path / "whole.mcap"):
        ledgers = open_session(path).ledger
        assert [(ledgers[s.site].received, ledgers[s.site].lost) for s in sensors] == [(1202, 7)] * 2


def test_recover_keeps_everything(sound, tmp_path, make):
    _, content, _ = sound
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(content[: int(len(content) * 0.8)])
    report = recover(cut, tmp_path / "whole.mcap")
    assert report.status == "ok"
    assert [repr(i) for i in read_items(tmp_path / "whole.mcap")] == [repr(i) for i in read_items(cut)]
    before, after = (list(open_session(p).blocks(None)) for p in (cut, tmp_path / "whole.mcap"))
    assert len(before) == len(after) > 100
    assert all(map(make.same_bits, before, after))


def test_a_full_disk_leaves_the_original_and_no_half_copy(sound, tmp_path, monkeypatch):
    path, content, _ = sound

    def full(self, data):
        error = OSError(errno.ENOSPC, "No space left on device")
        raise durable_file._translate(self.path, error) from error

    monkeypatch.setattr(durable_file.DurableFile, "write", full)
    with pytest.raises(RecordingError, match=r"cannot be written whole \(No space left") as caught:
        recover(path, tmp_path / "out.mcap")
    assert "is kept" not in str(caught.value)
    assert path.read_bytes() == content
    assert not (tmp_path / "out.mcap").exists()


def test_recover_never_overwrites(sound, tmp_path):
    path, content, _ = sound
    with pytest.raises(RecordingError, match="never overwritten"):
        recover(path, path)
    assert path.read_bytes() == content
    with pytest.raises(InputError, match="There is no recording"):
        recover(tmp_path / "nothing.mcap", tmp_path / "out.mcap")
    (tmp_path / "text.mcap").write_text("text")
    with pytest.raises(InputError, match="not a recording"):
        recover(tmp_path / "text.mcap", tmp_path / "out.mcap")
    assert not (tmp_path / "out.mcap").exists()


@QUICK
@given(where=FRACTION)
def test_a_cut_anywhere_leaves_a_prefix(sound, tmp_path_factory, make, where):
    _, content, blocks = sound
    at = int(where * len(content))
    path = tmp_path_factory.getbasetemp() / "cut.mcap"
    path.write_bytes(content[:at])
    try:
        session = open_session(path, minimum_s=0.0)
    except InputError:
        assert at < 8000  # cut before the header had been written
        return
    found = list(session.blocks(None))
    assert all(map(make.same_bits, found, blocks))
    assert len(found) >= len(blocks) * at / len(content) - 160
    assert not session.closed
    assert verify(path).status in ("not_closed", "damaged")


@QUICK
@given(where=FRACTION, flip=st.integers(1, 255))
def test_any_altered_byte_is_noticed_and_no_altered_sample_gets_through(sound, tmp_path_factory, where, flip):
    _, content, blocks = sound
    at = int(where * len(content))
    flipped = bytearray(content)
    flipped[at] ^= flip
    path = tmp_path_factory.getbasetemp() / "flipped.mcap"
    path.write_bytes(flipped)
    try:
        status = verify(path).status
    except InputError:
        assert at < 8  # the magic number at the start
        return
    assert status != "ok"
    known = {(b.site, b.host_time_s.tobytes(), b.acc_m_s2.tobytes(), b.gyr_rad_s.tobytes()) for b in blocks}
    found = [
        (b.site, b.host_time_s.tobytes(), b.acc_m_s2.tobytes(), b.gyr_rad_s.tobytes())
        for b in open_session(path).blocks(None)
    ]
    assert set(found) <= known
    assert len(found) >= len(blocks) - 160  # one chunk at most


@QUICK
@given(where=FRACTION, length=st.integers(1, 2000), fill=st.sampled_from([b"\x00", b"\xff", b"\x06"]))
def test_a_hole_in_the_middle_costs_only_its_chunks(sound, tmp_path_factory, where, length, fill):
    _, content, blocks = sound
    start = 8 + int(where * (len(content) - 3000))
    path = tmp_path_factory.getbasetemp() / "hole.mcap"
    path.write_bytes(content[:start] + fill * length + content[start + length :])
    try:
        found = list(read_blocks(path))
    except InputError:
        assert start < 8000
        return
    assert len(found) >= len(blocks) - 240  # the two chunks it may touch, and one more at most
    assert verify(path).status == "damaged" or (content[start : start + length] == fill * length)


def test_a_damaged_first_chunk_does_not_cost_the_rest(sound, tmp_path):
    """The header and the channel list stand in the first chunk; both can be had elsewhere."""
    _, content, blocks = sound
    zstd = content.index(b"\x04\x00\x00\x00zstd") + 30
    path = tmp_path / "a.mcap"
    path.write_bytes(content[:zstd] + b"\x55" * 8 + content[zstd + 8 :])
    assert len(list(read_blocks(path))) == len(blocks)
    report = verify(path)
    assert (report.status, report.damaged_places) == ("damaged", 1)
    assert recover(path, tmp_path / "b.mcap").status == "ok"


def test_verify_of_a_sound_recording_and_of_a_folder(sound, raw_folder):
    path, _, blocks = sound
    report = verify(path)
    assert (report.status, report.damaged_places, report.lost_bytes) == ("ok", 0, 0)
    assert report.sample_count == sum(map(len, blocks))
    assert "is whole" in report.text
    assert verify(raw_folder()).status == "ok"


def test_a_newer_format_version_is_refused(tmp_path, make, monkeypatch):
    from subtalar.session.recording.write import mcap_writer

    monkeypatch.setattr(mcap_writer, "FORMAT_VERSION", 3)
    Recorder(tmp_path / "a.mcap", make.sensors(), make.START).close()
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"format version 3.*update subtalar"):
        open_session(tmp_path / "a.mcap")


def test_a_decompression_bomb_is_damage_not_a_crash():
    """A chunk that claims to unpack to a petabyte is skipped."""
    from subtalar.session.recording.read.container import MAGIC, Scanner

    body = bytes(24) + bytes(4) + b"\x04\x00\x00\x00zstd"
    frame = bytes.fromhex("28b52ffd e0") + (2**50).to_bytes(8, "little") + b"\x01\x00\x00"
    chunk = body + len(frame).to_bytes(8, "little") + frame
    scanner = Scanner(io.BytesIO(MAGIC + b"\x06" + len(chunk).to_bytes(8, "little") + chunk))
    assert list(scanner) == []
    assert len(scanner.damages) == 1
