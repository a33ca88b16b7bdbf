"""What is recorded comes back bit for bit, and a recording is never harmed by another."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from datetime import datetime

import numpy as np
import pytest
from mcap.reader import make_reader

from subtalar.errors import InputError, RecordingError
from subtalar.session import (
    Annotation,
    ArrivedBlock,
    RawChunk,
    Recorder,
    StatusSnapshot,
    open_session,
    read_blocks,
    read_header,
    read_items,
)
from subtalar.session.durable_file import DurableFile
from subtalar.types import AngleBlock, BodySite, GaitEvent, Notice, SampleBlock, Stride

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK


@pytest.fixture
def recorded(tmp_path, make):
    """A closed recording with everything in it, and what went in."""
    path = tmp_path / "walk.mcap"
    blocks = make.blocks()
    with Recorder(path, make.sensors(), make.START, configuration={"filter": "vqf", "n": 2}) as recorder:
        for k, block in enumerate(blocks):
            recorder.write_chunk(block.site, float(block.host_time_s[-1]), bytes([k % 256]) * (k % 40))
            recorder.write_block(block)
            if k == 100:
                recorder.sync()  # so that there is more than one group
        recorder.write_estimates(make.estimates())
        recorder.write_estimates(make.estimates(4.0))
        recorder.write_status(make.status(3), 4.0)
        recorder.write_status(make.status(5), 8.0)
        recorder.write_marker(Annotation("standing", 0.5, 3.5))
    return path, blocks


def test_blocks_come_back_bit_for_bit_in_the_order_they_went_in(recorded, make):
    path, blocks = recorded
    found = [a.block for a in read_blocks(path)]
    assert len(found) == len(blocks) > 300
    assert all(map(make.same_bits, found, blocks))
    assert all(map(make.same_bits, open_session(path).blocks(None), blocks))


@pytest.mark.parametrize("block_s", [0.25, 1.0, 100.0])
def test_longer_blocks_hold_the_same_samples(recorded, block_s):
    path, blocks = recorded
    found = list(open_session(path).blocks(block_s))
    assert len(found) < len(blocks)
    for site in (FOOT, SHANK):
        mine = [b for b in found if b.site == site]
        theirs = [b for b in blocks if b.site == site]
        for column in ("device_time_s", "host_time_s", "acc_m_s2", "gyr_rad_s"):
            if getattr(theirs[0], column) is None:
                assert all(getattr(b, column) is None for b in mine)
                continue
            joined = np.concatenate([getattr(b, column) for b in mine])
            assert joined.tobytes() == np.concatenate([getattr(b, column) for b in theirs]).tobytes()


def test_everything_else_comes_back(recorded, make):
    path, blocks = recorded
    items = list(read_items(path))

    def of(kind):
        return [i for i in items if isinstance(i, kind)]

    raw = sorted(of(RawChunk), key=lambda c: c.sequence)
    assert [(c.site, c.arrival_s, c.data) for c in raw] == [
        (b.site, float(b.host_time_s[-1]), bytes([k % 256]) * (k % 40)) for k, b in enumerate(blocks)
    ]
    (angles,) = of(AngleBlock)  # both blocks of the side, joined
    want = [make.estimates().angles[0], make.estimates(4.0).angles[0]]
    for column in ("time_s", "angles_deg", "angles_sd_deg", "quality", "shank_orientation"):
        joined = np.concatenate([getattr(w, column) for w in want])
        assert getattr(angles, column).tobytes() == joined.tobytes()
        assert getattr(angles, column).shape == joined.shape
    assert of(GaitEvent) == [*make.estimates().events, *make.estimates(4.0).events]
    assert [repr(s) for s in of(Stride)] == [repr(make.stride())] * 2  # repr: NaN is not equal to itself
    assert of(Notice) == [*make.estimates().notices, *make.estimates(4.0).notices]
    assert of(StatusSnapshot) == [
        StatusSnapshot(4.0, tuple(make.status(3))),
        StatusSnapshot(8.0, tuple(make.status(5))),
    ]
    assert of(Annotation) == [Annotation("standing", 0.5, 3.5)]
    assert len(of(ArrivedBlock)) == len(blocks)
    assert read_header(path).configuration == {"filter": "vqf", "n": 2}


def test_a_recording_is_a_session(recorded, make):
    path, blocks = recorded
    session = open_session(path)
    assert session.kind == "recording"
    assert session.closed
    assert session.start_utc == make.START
    assert list(session.sensors.values()) == make.sensors()
    assert session.annotations == (Annotation("standing", 0.5, 3.5),)
    assert session.sample_count == sum(map(len, blocks))
    assert session.duration_s == max(b.host_time_s[-1] for b in blocks) - min(b.host_time_s[0] for b in blocks)
    assert session.ledger == {s.info.site: s.ledger for s in make.status(5)}
    assert session.strides == 2
    assert session.notes == ()


def test_only_the_owner_may_read_it(recorded):
    path, _ = recorded
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_plain_mcap_and_the_schema_in_the_file_are_enough(recorded):
    """Another lab reads it without this package: descriptors come from the file."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    path, blocks = recorded
    acc = []
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        for schema, channel, message in reader.iter_messages(topics=["/samples/right_foot"], log_time_order=True):
            assert (schema.encoding, channel.message_encoding) == ("protobuf", "protobuf")
            pool = descriptor_pool.DescriptorPool()
            for described in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
                pool.Add(described)
            kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
            acc.extend(kind.FromString(message.data).acc_m_s2)
    want = np.concatenate([b.acc_m_s2 for b in blocks if b.site == FOOT])
    assert np.array(acc).reshape(-1, 3).tobytes() == want.tobytes()


def test_without_estimates_strides_are_not_known(tmp_path, make):
    with Recorder(tmp_path / "a.mcap", make.sensors(), make.START) as recorder:
        for block in make.blocks():
            recorder.write_block(block)
    session = open_session(tmp_path / "a.mcap")
    assert session.strides is None
    assert session.ledger[FOOT].lost_is_estimated


def test_blocks_with_device_time_only_take_their_arrival_from_the_tick(tmp_path, make):
    with Recorder(tmp_path / "a.mcap", make.sensors(), make.START) as recorder:
        for k in range(12):
            recorder.tick(k * 0.5)
            values = np.full((10, 3), float(k))
            recorder.write_block(SampleBlock(FOOT, np.arange(10) + 10.0 * k, None, values, values))
    session = open_session(tmp_path / "a.mcap")
    assert session.duration_s == 5.5
    assert [len(b) for b in session.blocks(1.0)] == [20] * 6
    assert [a.arrival_s for a in read_blocks(tmp_path / "a.mcap")] == [k * 0.5 for k in range(12)]


def test_too_short_a_recording_is_refused(tmp_path, make):
    with Recorder(tmp_path / "a.mcap", make.sensors(), make.START) as recorder:
        for block in make.blocks(2.0):
            recorder.write_block(block)
    with pytest.raises(InputError, match=r"2\.0 s long and at least 5 s"):
        open_session(tmp_path / "a.mcap")


def test_a_recording_without_samples_is_refused_as_too_short(tmp_path, make):
    Recorder(tmp_path / "a.mcap", make.sensors(), make.START).close()
    with pytest.raises(InputError, match=r"0\.0 s long"):
        open_session(tmp_path / "a.mcap")


def test_a_second_writer_is_refused_while_the_first_lives_and_after(tmp_path, make):
    path = tmp_path / "a.mcap"
    with Recorder(path, make.sensors(), make.START) as recorder:
        with pytest.raises(RecordingError, match="being recorded by another program"):
            Recorder(path, make.sensors(), make.START)
        recorder.write_block(make.blocks()[0])
    content = path.read_bytes()
    with pytest.raises(RecordingError, match="never overwritten: choose another name"):
        Recorder(path, make.sensors(), make.START)
    assert path.read_bytes() == content


def test_the_lock_is_seen_by_other_processes_and_dies_with_its_own(tmp_path, make):
    path = tmp_path / "a.mcap"
    code = (
        "import sys; from pathlib import Path;"
        "from subtalar.session.durable_file import is_being_written as w;"
        "print(w(Path(sys.argv[1])))"
    )

    def ask() -> str:
        return subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout

    with Recorder(path, make.sensors(), make.START):
        assert ask().strip() == "True"
    assert ask().strip() == "False"


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing/a.mcap", "does not exist: create it"), ("", "is a folder: give the name of a new file")],
)
def test_a_place_that_cannot_be(tmp_path, make, name, words):
    with pytest.raises(RecordingError, match=words):
        Recorder(tmp_path / name, make.sensors(), make.START)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder(tmp_path, make):
    tmp_path.chmod(0o500)
    with pytest.raises(RecordingError, match="choose another folder"):
        Recorder(tmp_path / "a.mcap", make.sensors(), make.START)


@contextlib.contextmanager
def files_no_larger_than(size: int):
    """The operating system refuses to let files grow, as a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_once_each_call_and_what_was_written_stays(tmp_path, make):
    path = tmp_path / "a.mcap"
    blocks = make.blocks(30.0)
    recorder = Recorder(path, make.sensors(), make.START)
    half = len(blocks) // 2
    for block in blocks[:half]:
        recorder.write_block(block)
    recorder.sync()
    with files_no_larger_than(path.stat().st_size + 1000):
        for block in blocks[half:]:
            recorder.write_block(block)
        with pytest.raises(RecordingError, match="what was recorded is kept"):
            recorder.sync()
        with pytest.raises(RecordingError):
            recorder.tick(31.0)
        with pytest.raises(RecordingError):
            recorder.close()
    recorder.close()
    assert threading.active_count() == 1 or not any(
        t.name.startswith(("recorder", "sync")) for t in threading.enumerate()
    )
    found = list(open_session(path).blocks(None))
    assert len(found) == half
    assert all(map(make.same_bits, found, blocks))


def test_a_recording_removed_under_way_is_told(tmp_path, make):
    recorder = Recorder(tmp_path / "a.mcap", make.sensors(), make.START)
    (tmp_path / "a.mcap").unlink()
    recorder.write_block(make.blocks()[0])
    with pytest.raises(RecordingError, match="was removed"):
        recorder.sync()
    with pytest.raises(RecordingError):
        recorder.close()


def test_chunks_are_written_while_the_disk_is_waited_for(tmp_path, make, monkeypatch):
    """A killed program loses what was not written; what the disk has not confirmed yet, it keeps."""
    path = tmp_path / "a.mcap"
    blocks = make.blocks(20.0)
    waiting, go_on = threading.Event(), threading.Event()
    really = DurableFile.sync

    def slow(file):
        if threading.current_thread().name.startswith("sync"):
            waiting.set()
            assert go_on.wait(60.0)
        really(file)

    with Recorder(path, make.sensors(), make.START) as recorder:
        monkeypatch.setattr(DurableFile, "sync", slow)
        recorder.write_block(blocks[0])
        assert waiting.wait(60.0)
        size = recorder.size
        for block in blocks[1:]:
            recorder.write_block(block)
        deadline = time.monotonic() + 60.0
        while recorder.size < size + 10_000 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert recorder.size > size + 10_000
        assert not go_on.is_set()
        go_on.set()
        recorder.sync()
    found = list(open_session(path).blocks(None))
    assert all(map(make.same_bits, found, blocks))
    assert len(found) == len(blocks)


def test_writing_after_close_is_refused(tmp_path, make):
    recorder = Recorder(tmp_path / "a.mcap", make.sensors(), make.START)
    recorder.close()
    with pytest.raises(RecordingError, match="closed already"):
        recorder.write_block(make.blocks()[0])


def test_a_sensor_that_was_not_announced_is_refused_and_the_recording_goes_on(tmp_path, make):
    with Recorder(tmp_path / "a.mcap", make.sensors(FOOT), make.START) as recorder:
        for block in make.blocks():
            if block.site == FOOT:
                recorder.write_block(block)
            else:
                with pytest.raises(RecordingError, match="without a right_shank sensor"):
                    recorder.write_block(block)
    assert open_session(tmp_path / "a.mcap").sample_count == 800


def test_a_start_without_time_zone_is_a_mistake_of_the_caller(tmp_path, make):
    with pytest.raises(ValueError, match="time zone"):
        Recorder(tmp_path / "a.mcap", make.sensors(), datetime(2026, 5, 14))


def test_every_field_of_the_types_has_a_place_in_the_schema():
    from dataclasses import fields

    from subtalar.anatomy import ANGLE_COUNT
    from subtalar.session.recording.format.schema import ANGLE_FIELDS, ANGLE_SD_FIELDS, message_class
    from subtalar.types import Ledger

    for kind, name in ((Stride, "Stride"), (GaitEvent, "Event"), (Notice, "Notice")):
        assert {f.name for f in fields(kind)} == set(message_class(name).DESCRIPTOR.fields_by_name), name
    for fields_of in (ANGLE_FIELDS, ANGLE_SD_FIELDS):
        assert sorted(k for angles in fields_of.values() for k in angles) == list(range(ANGLE_COUNT))
        assert set(fields_of) <= set(message_class("Angles").DESCRIPTOR.fields_by_name)
    assert {f.name for f in fields(Ledger)} <= set(message_class("Status").DESCRIPTOR.fields_by_name)


def test_memory_for_reading_does_not_grow_with_the_recording(tmp_path, make):
    import tracemalloc

    def peak_of(seconds: int) -> int:
        path = tmp_path / f"{seconds}.mcap"
        rng = np.random.default_rng(0)
        with Recorder(path, make.sensors(FOOT), make.START) as recorder:
            for k in range(seconds):
                t = k + np.arange(100) / 100
                recorder.write_block(SampleBlock(FOOT, t, t, rng.normal(size=(100, 3)), rng.normal(size=(100, 3))))
                if k % 20 == 19:
                    recorder.sync()
        tracemalloc.start()
        try:
            assert sum(len(b) for b in open_session(path).blocks()) == 100 * seconds
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_of(100)  # what is loaded and cached once
    assert peak_of(1600) < 1.5 * peak_of(200)
