"""What comes from the cache is what the recording holds, bit for bit and block for block, or it is not used."""

import os

import numpy as np
import pytest

from subtalar.session import Annotation, Recorder, open_session
from subtalar.session.recording.read import sample_cache as cache
from subtalar.types import BodySite, SampleBlock


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache of the test's own, for recordings of any size."""
    place = tmp_path / "cache"
    monkeypatch.setenv(cache.ENVIRONMENT_VARIABLE, str(place))
    monkeypatch.setattr(cache, "SMALLEST_BYTES", 0)
    return place


@pytest.fixture
def recording(tmp_path, make):
    path = tmp_path / "walk.mcap"
    with Recorder(path, make.sensors(), make.START) as recorder:
        for k, block in enumerate(make.blocks(12.0)):
            recorder.write_block(block)
            if k % 80 == 79:
                recorder.sync()
        recorder.write_estimates(make.estimates())
        recorder.write_status(make.status(3), 12.0)
        recorder.write_marker(Annotation("walking", 2.0, 6.0))
    return path


def same(a, b) -> bool:
    names = set(type(a).__dataclass_fields__) - {"_source"}
    return all(getattr(a, name) == getattr(b, name) for name in names)


@pytest.mark.parametrize("block_s", [None, 0.01, 0.25, 1.0, 5.0, 100.0])
def test_the_same_blocks_to_the_bit(recording, folder, make, block_s):
    plain = open_session(recording)
    expected = list(plain.blocks(block_s))
    assert not folder.exists()
    first = open_session(recording, cached=True)  # makes the entry
    assert len(list(folder.iterdir())) == 1
    second = open_session(recording, cached=True)
    for session in (first, second):
        assert same(session, plain)
        for _ in range(2):
            found = list(session.blocks(block_s))
            assert len(found) == len(expected) > 1 or block_s == 100.0
            assert all(map(make.same_bits, found, expected))


def test_blocks_that_come_late_to_their_window(tmp_path, make):
    """A sensor whose arrivals are behind, empty blocks, and one sensor that is silent for a while."""
    foot, shank = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK
    rng = np.random.default_rng(3)
    path = tmp_path / "a.mcap"
    with Recorder(path, make.sensors(), make.START) as recorder:
        for k in range(300):
            for site in (foot, shank) if k < 100 or k > 200 else (foot,):
                n = int(rng.integers(0, 4))
                t = np.full(n, k * 0.05 - (0.4 if site == shank else 0.0))
                recorder.write_block(SampleBlock(site, t, t, rng.normal(size=(n, 3)), rng.normal(size=(n, 3))))
    for block_s in (None, 0.1, 0.3, 1.0):
        expected = list(open_session(path).blocks(block_s))
        found = list(open_session(path, cached=True).blocks(block_s))
        assert len(found) == len(expected)
        assert all(map(make.same_bits, found, expected))


def test_the_second_time_the_recording_is_not_decoded(recording, monkeypatch):
    open_session(recording, cached=True)
    from subtalar.session.recording.read import reader

    monkeypatch.setattr(reader, "scan_recording", None)
    monkeypatch.setattr(reader, "read_blocks", None)
    assert len(list(open_session(recording, cached=True).blocks())) > 10


def test_a_renamed_recording_finds_its_entry_and_an_altered_one_does_not(recording, folder, make):
    open_session(recording, cached=True)
    moved = recording.rename(recording.with_name("anders ü.mcap"))
    stat = moved.stat()
    assert open_session(moved, cached=True).path == moved
    assert len(list(folder.iterdir())) == 1
    content = bytearray(moved.read_bytes())
    content[len(content) // 2] ^= 1
    moved.write_bytes(content)
    os.utime(moved, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # as a restored backup has it
    damaged = open_session(moved, cached=True)
    assert any("damaged" in note for note in damaged.notes)
    assert len(list(folder.iterdir())) == 1  # what is damaged gets no entry


def test_an_altered_entry_is_not_used(recording, folder, make):
    expected = list(open_session(recording).blocks())
    open_session(recording, cached=True)
    (entry,) = folder.iterdir()
    for file in sorted(entry.iterdir()):
        whole = file.read_bytes()
        file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:])
        found = list(open_session(recording, cached=True).blocks())
        assert len(found) == len(expected)
        assert all(map(make.same_bits, found, expected))
        file.write_bytes(whole)


def test_only_its_owner_may_read_it(recording, folder):
    open_session(recording, cached=True)
    if os.name == "posix":
        (entry,) = folder.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert entry.stat().st_mode & 0o777 == 0o700


def test_an_erased_recording_is_forgotten(recording, folder, tmp_path, make):
    recording_id = open_session(recording, cached=True).recording_id
    other = tmp_path / "other.mcap"
    with Recorder(other, make.sensors(), make.START) as recorder:
        for block in make.blocks(8.0, seed=6):
            recorder.write_block(block)
    open_session(other, cached=True)
    assert len(list(folder.iterdir())) == 2
    assert cache.forget({recording_id}) == 1
    assert len(list(folder.iterdir())) == 1
    assert cache.forget(paths=[other]) == 1
    assert list(folder.iterdir()) == []
    assert cache.forget({"unknown"}, [tmp_path / "nothing"]) == 0


def test_a_recording_that_is_gone_is_forgotten_by_its_place(recording, folder):
    open_session(recording, cached=True)
    recording.unlink()
    assert cache.forget(paths=[recording.with_name("other.mcap")]) == 0
    assert cache.forget(paths=[recording]) == 1
    assert list(folder.iterdir()) == []


def test_what_is_encrypted_leaves_nothing_in_the_cache(recording, folder):
    pytest.importorskip("pyrage")
    from subtalar.session.encryption import encrypt_session

    open_session(recording, cached=True)
    encrypt_session(recording, "correct horse")
    assert not recording.exists()
    assert list(folder.iterdir()) == []


def test_an_erased_session_leaves_nothing_in_the_cache(recording, folder, monkeypatch):
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(recording.parent))
    from subtalar.session.catalogue import open_catalogue
    from subtalar.session.catalogue.erase import erase, plan_session

    open_session(recording, cached=True)
    with open_catalogue() as catalogue:
        assert erase(catalogue, plan_session(catalogue, recording)) == []
    assert not recording.exists()
    assert list(folder.iterdir()) == []


def test_it_stays_within_its_limit(recording, folder, tmp_path, make, monkeypatch):
    open_session(recording, cached=True)
    (first,) = folder.iterdir()
    monkeypatch.setattr(cache, "LIMIT_BYTES", 1)
    os.utime(first, (1e9, 1e9))
    other = tmp_path / "other.mcap"
    with Recorder(other, make.sensors(), make.START) as recorder:
        for block in make.blocks(8.0, seed=6):
            recorder.write_block(block)
    open_session(other, cached=True)
    (left,) = folder.iterdir()
    assert left != first


def test_without_a_place_for_it_everything_works(recording, folder, make, monkeypatch):
    folder.write_text("a file is in the way")
    found = list(open_session(recording, cached=True).blocks())
    assert all(map(make.same_bits, found, open_session(recording).blocks()))


def test_what_is_still_open_gets_no_entry(recording, folder):
    recording.write_bytes(recording.read_bytes()[:-200])
    assert not open_session(recording, cached=True).closed
    assert not folder.exists() or list(folder.iterdir()) == []
