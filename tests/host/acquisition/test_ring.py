"""The shared-memory ring within one process: what goes in comes out, however it is cut."""

import dataclasses
import os
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.acquisition.ring import RingReader, RingWriter, SessionFacts, find_sessions, layout, segment
from subtalar.anatomy import ANGLE_COUNT
from subtalar.errors import InputError, SubtalarError
from subtalar.types import (
    AngleBlock,
    BodySite,
    Estimates,
    GaitEvent,
    Ledger,
    Notice,
    SensorInfo,
    SensorStatus,
    Stride,
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def pair():
    with RingWriter.create(angle_rows=100) as writer, RingReader.attach(writer.name) as reader:
        yield writer, reader


WEIGHTS = np.arange(1.0, ANGLE_COUNT + 1)


def block(first: int, n: int, side="left") -> AngleBlock:
    """Row i carries i in every column, so that a mixed-up row shows."""
    i = np.arange(first, first + n, dtype=float)
    angles, four, code = np.outer(i, WEIGHTS), np.c_[i, i, i, i], (i % 7).astype(np.uint8)
    return AngleBlock(side, i, angles, angles / 10, code, four)


def assert_rows_whole(rows, first: int, n: int) -> None:
    i = np.arange(first, first + n, dtype=float)
    np.testing.assert_array_equal(rows["time_s"], i)
    np.testing.assert_array_equal(rows["angles_deg"], np.outer(i, WEIGHTS))
    np.testing.assert_array_equal(rows["angles_sd_deg"], np.outer(i, WEIGHTS) / 10)
    np.testing.assert_array_equal(rows["shank_orientation"], np.c_[i, i, i, i])
    np.testing.assert_array_equal(rows["quality"], i % 7)


def stride(n: int = 1, **changes) -> Stride:
    numbers = {f.name: n + k / 8 for k, f in enumerate(dataclasses.fields(Stride)) if f.type is float}
    return Stride(**{"side": "right", "lost_samples": n, "quality": "ok", **numbers, **changes})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 130), min_size=1, max_size=12), read_after=st.sets(st.integers(0, 11)))
def test_every_row_arrives_once_or_is_counted_as_missed(sizes, read_after):
    with RingWriter.create(angle_rows=100) as writer, RingReader.attach(writer.name) as reader:
        written = cursor = 0
        for step, n in enumerate(sizes):
            writer.publish(Estimates(angles=(block(written, n),)))
            written += n
            if step in read_after or step == len(sizes) - 1:
                batch = reader.angles_since("left", cursor)
                assert len(batch.rows) + batch.missed == written - cursor
                assert_rows_whole(batch.rows, written - len(batch.rows), len(batch.rows))
                assert batch.missed == max(written - cursor - 100, 0)
                cursor = batch.cursor
        assert cursor == written
        assert_rows_whole(reader.angles_since("left").rows[-37:], max(written - 37, 0), min(written, 37))


def test_sides_do_not_mix(pair):
    writer, reader = pair
    writer.publish(Estimates(angles=(block(0, 3, "left"), block(50, 2, "right"), block(3, 1, "left"))))
    assert_rows_whole(reader.angles_since("left").rows, 0, 4)
    assert_rows_whole(reader.angles_since("right").rows, 50, 2)
    assert reader.angles_since("left").cursor == 4


def test_rows_being_overwritten_are_withheld(pair):
    writer, reader = pair
    writer.publish(Estimates(angles=(block(0, 100),)))
    head = writer._channels["angles_left"]._head
    head[0] = 130  # the writer has announced 30 more rows and died, or is in the middle of them
    batch = reader.angles_since("left", 10)
    assert_rows_whole(batch.rows, 30, 70)
    assert batch.missed == 20
    del head


def test_a_reader_cannot_write(pair):
    with pytest.raises(ValueError, match="read-only"):
        pair[1]._header["closed"] = 1


def test_strides_events_and_notices_come_back_equal(pair):
    writer, reader = pair
    strides = tuple(stride(n) for n in range(1200))
    events = (GaitEvent("left", "foot_off", 1.25, 1.5),)
    notices = (
        Notice(2.0, "advice", "stand_still", "Stand still", "left", BodySite.LEFT_FOOT),
        Notice(3.0, "info", "calibrated", "Both ankles are ready"),
    )
    writer.publish(Estimates(events=events, strides=strides, notices=notices))
    assert reader.strides() == strides[-1024:]
    assert reader.strides(last=2) == strides[-2:]
    assert reader.stride_count() == 1200
    assert reader.events() == events
    assert reader.notices() == notices
    unknown = reader_stride = stride(stride_length_m=float("nan"), quality="turn")
    writer.publish(Estimates(strides=(unknown,)))
    (reader_stride,) = reader.strides(last=1)
    assert np.isnan(reader_stride.stride_length_m)
    assert reader_stride.quality == "turn"


def test_sensor_states_come_back_equal_and_the_newest_wins(pair):
    writer, reader = pair
    assert reader.sensors() == ()
    shank = SensorStatus(SensorInfo(BodySite.RIGHT_SHANK, 200.0, 157.0, None, "Model", "AA:BB"), "connecting")
    foot = SensorStatus(SensorInfo(BodySite.RIGHT_FOOT, 100.0), "streaming", 99.5, 80.0, Ledger(5, 4, True, 3, 2, 1))
    writer.publish_status([shank, foot])
    assert reader.sensors() == (foot, shank)
    for _ in range(9):
        writer.publish_status([dataclasses.replace(shank, link="silent", rate_hz=0.0)])
    assert [s.link for s in reader.sensors()] == ["streaming", "silent"]


def test_session_facts_come_back_and_long_text_is_cut_with_an_ellipsis(pair):
    writer, reader = pair
    assert reader.session() == SessionFacts()
    facts = SessionFacts("running", "replay of Grün", 1e9, 12.5, "/home/anna/Ganganalyse/läuft.mcap", 123456789, "")
    writer.publish_session(facts)
    assert reader.session() == facts
    writer.publish_session(dataclasses.replace(facts, recording_error="x" * 999))
    error = reader.session().recording_error
    assert len(error) == 400
    assert error.endswith("x…")


def test_truth_and_arrival_time(pair):
    writer, reader = pair
    writer.publish_truth("right", np.array([1.0, 2.0]), np.array([[1.0, 2, 3], [4, 5, 6]]))
    batch = reader.truth_since("right")
    np.testing.assert_array_equal(batch.rows["ankle_deg"], [[1, 2, 3], [4, 5, 6]])
    before = time.monotonic_ns()
    writer.publish(Estimates(angles=(block(0, 2),)), arrival_ns=77)
    rows = reader.angles_since("left").rows[-9:]
    assert set(rows["arrival_ns"]) == {77}
    assert before <= rows["publish_ns"][0] <= reader.heartbeat_ns() <= time.monotonic_ns()


def test_an_orderly_end_is_told_from_a_crash_and_the_data_stay_readable():
    writer = RingWriter.create(angle_rows=100)
    reader = RingReader.attach(writer.name)
    writer.publish(Estimates(angles=(block(0, 5),)))
    assert reader.writer_state() == "alive"
    assert find_sessions() == (writer.name,)
    writer.close()
    writer.close()
    assert reader.writer_state() == "closed"
    assert_rows_whole(reader.angles_since("left").rows, 0, 5)
    assert find_sessions() == ()
    with pytest.raises(InputError, match="no live session is called"):
        RingReader.attach(writer.name)
    reader.close()
    reader.close()


def test_names_are_refused_with_a_reason():
    with RingWriter.create("clinic-1", angle_rows=10):
        with pytest.raises(SubtalarError, match="already running"):
            RingWriter.create("clinic-1", angle_rows=10)
        with pytest.raises(InputError, match="running now: clinic-1"):
            RingReader.attach("clinic-2")
    with pytest.raises(InputError, match="letters, digits"):
        RingWriter.create("../evil")


def test_another_version_is_refused(pair, monkeypatch):
    monkeypatch.setattr("subtalar.acquisition.ring.reader.layout_checksum", lambda: 1)
    with pytest.raises(InputError, match="another version"):
        RingReader.attach(pair[0].name)


def test_full_shared_memory_is_one_sentence(monkeypatch):
    if not os.path.isdir("/dev/shm"):
        pytest.skip("only Linux can run out of shared memory after creating it")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(segment.os, "posix_fallocate", full)
    with pytest.raises(SubtalarError, match="28 MB of shared memory"):
        RingWriter.create("too-big")
    assert not os.path.exists("/dev/shm/too-big")


def test_the_layout_holds_a_minute_at_400_hz():
    assert layout.segment_size(60 * 400) < 32e6
    with RingWriter.create() as writer:
        assert writer._channels["angles_left"].capacity >= 60 * 400
