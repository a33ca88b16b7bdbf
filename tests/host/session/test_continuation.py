"""A recording whose disk fails goes on elsewhere, and lacks nothing."""

import contextlib
from collections.abc import Iterator

import pytest

from subtalar.errors import RecordingError
from subtalar.session import Recorder, open_session, read_blocks, read_header, session_info
from subtalar.session.recording.edit.trim import trim
from subtalar.session.recording.write import continuation as hand_over
from subtalar.session.recording.write import recorder
from subtalar.types import Ledger, SensorStatus


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The operating system refuses to let files grow, as a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def failing(path, make, blocks, synced: int) -> Recorder:
    """A recorder that has written so many blocks, met a full disk, and been given the rest."""
    failed = Recorder(path, make.sensors(), make.START)
    for block in blocks[:synced]:
        failed.write_block(block)
    failed.sync()
    with files_no_larger_than(path.stat().st_size + 1000):
        failed.write_block(blocks[synced])
        for block in blocks[synced + 1 : synced + 40]:
            failed.write_block(block)
        with pytest.raises(RecordingError, match="is kept"):
            failed.sync()
        for block in blocks[synced + 40 :]:
            with pytest.raises(RecordingError, match="is kept"):
                failed.write_block(block)
    return failed


def test_nothing_is_lost_between_the_two_files(tmp_path, make):
    blocks = make.blocks(12.0)
    half = len(blocks) // 2
    failed = failing(tmp_path / "a.mcap", make, blocks, half)
    held = failed.continuation()
    with Recorder(tmp_path / "b.mcap", make.sensors(), make.START, continues=held) as second:
        second.take_over(failed.continuation())
        more = make.blocks(2.0, seed=9, start_s=12.0)
        for block in more:
            second.write_block(block)
    with pytest.raises(RecordingError):
        failed.close()

    first_part = list(read_blocks(tmp_path / "a.mcap"))
    second_part = list(read_blocks(tmp_path / "b.mcap"))
    known = {a.sequence for a in first_part}
    joined = [a.block for a in first_part] + [a.block for a in second_part if a.sequence not in known]
    assert len(first_part) == half
    assert len(joined) == len(blocks) + len(more)
    assert all(map(make.same_bits, joined, [*blocks, *more]))
    sequences = [a.sequence for a in second_part]
    assert sequences == sorted(set(sequences))


def test_the_continuation_says_what_it_continues(tmp_path, make):
    blocks = make.blocks(12.0)
    failed = failing(tmp_path / "a.mcap", make, blocks, len(blocks) // 2)
    with Recorder(tmp_path / "b.mcap", make.sensors(), make.START, continues=failed.continuation()) as second:
        second.take_over(failed.continuation())
    with pytest.raises(RecordingError):
        failed.close()
    first, header = read_header(tmp_path / "a.mcap"), read_header(tmp_path / "b.mcap")
    assert first.recording_id
    assert (header.origin["kind"], header.origin["of"], header.origin["part"]) == ("continuation", "a.mcap", 2)
    assert header.origin["of_id"] == first.recording_id != header.recording_id
    assert header.start_utc == first.start_utc
    assert header.origin["from_s"] == pytest.approx(6.0, abs=0.2)
    (note,) = [n for n in session_info(tmp_path / "b.mcap")["notes"] if "part 2" in n]
    assert "continues a.mcap" in note
    assert session_info(tmp_path / "a.mcap")["origin"] == {}
    assert open_session(tmp_path / "b.mcap").origin["of"] == "a.mcap"


def test_memory_for_what_is_held_is_bounded_and_the_loss_is_counted(tmp_path, make, monkeypatch):
    monkeypatch.setattr(recorder, "QUEUE_LIMIT_BYTES", 20_000)
    blocks = make.blocks(12.0)
    failed = failing(tmp_path / "a.mcap", make, blocks, 10)
    held = failed.continuation()
    with pytest.raises(RecordingError):
        failed.close()
    assert held.dropped > 100
    assert held.dropped + len(held.items) == len(blocks) - 10
    assert make.same_bits(held.items[-1][1].block, blocks[-1])  # the newest stay


def test_held_items_forget_the_oldest():
    held = hand_over.HeldItems(100)
    for k in range(10):
        held.add((float(k), k), 30)
    assert [item for _, item in held.items] == [7, 8, 9]
    assert held.dropped == 7


def test_a_disk_that_hangs_is_given_up_and_a_live_session_never_waits_for_it(tmp_path, make, monkeypatch):
    import threading
    import time

    from subtalar.session.durable_file import DurableFile

    free = threading.Event()
    whole = DurableFile.write

    def hang(self, data):
        free.wait(30.0)
        return whole(self, data)

    failed = Recorder(tmp_path / "a.mcap", make.sensors(), make.START, patient=False)
    monkeypatch.setattr(DurableFile, "write", hang)
    monkeypatch.setattr(recorder, "STALLED_DISK_S", 0.3)
    monkeypatch.setattr(recorder, "QUEUE_LIMIT_BYTES", 10_000)
    try:
        blocks = make.blocks(12.0)
        failed.write_block(blocks[0])
        began = time.monotonic()
        said = ""
        while not said and time.monotonic() < began + 10.0:
            time.sleep(0.02)
            try:
                failed.tick(1.0)
            except RecordingError as error:
                said = str(error)
        assert "takes no more data" in said
        began = time.monotonic()
        for block in blocks[1:]:
            with contextlib.suppress(RecordingError):
                failed.write_block(block)
        assert time.monotonic() - began < 1.0
        assert make.same_bits(failed.continuation().items[-1][1].block, blocks[-1])
    finally:
        free.set()
        with pytest.raises(RecordingError, match="takes no more data"):
            failed.close()


def test_the_ledger_of_a_later_part_is_that_of_the_part(tmp_path, make):
    """What was lost before stands in the part before; together they tell what the session lost."""
    sensors = make.sensors()
    failed = failing(tmp_path / "a.mcap", make, make.blocks(4.0), 10)
    path = tmp_path / "b.mcap"
    with Recorder(path, sensors, make.START, continues=failed.continuation()) as second:
        for k, block in enumerate(make.blocks(8.0, seed=9, start_s=12.0)):
            now_s = float(block.host_time_s[-1])
            if k % 20 == 0:
                lost = 1000 + 5 * int(now_s - 12.0)
                second.write_status([SensorStatus(s, "streaming", ledger=Ledger(1200, lost)) for s in sensors], now_s)
                second.sync()
            second.write_block(block)
    with pytest.raises(RecordingError):
        failed.close()
    trim(path, tmp_path / "part.mcap", to_s=100.0)
    for name in ("b.mcap", "part.mcap"):
        facts = session_info(tmp_path / name)
        for site, ledger in facts["ledger"].items():
            here = sum(len(a.block) for a in read_blocks(tmp_path / name) if a.block.site.value == site)
            assert (ledger["received"], ledger["lost"]) == (here, 35)
