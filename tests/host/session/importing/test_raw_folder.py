"""A raw session folder is read exactly, whatever state its times are in."""

import numpy as np
import pytest

from subtalar.session import open_session
from subtalar.types import BodySite, SampleBlock

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK


def gather(session, site, block_s=1.0):
    blocks = [b for b in session.blocks(block_s) if b.site == site]
    return np.concatenate([np.column_stack((b.device_time_s, b.host_time_s, b.acc_m_s2, b.gyr_rad_s)) for b in blocks])


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("block_s", [1.0, 0.1, None])
def test_every_value_comes_back(raw_folder, make, compress, block_s):
    session = open_session(raw_folder(compress=compress))
    for seed, site in enumerate((FOOT, SHANK), start=1):
        np.testing.assert_array_equal(gather(session, site, block_s), make.rows(seed=seed))
    assert session.kind == "raw_folder"
    assert session.sample_count == 1600
    assert session.duration_s == pytest.approx(7.99, abs=0.04)
    assert session.ledger[FOOT].received == 800
    assert session.ledger[FOOT].lost == 0
    assert session.strides is None


def test_blocks_come_in_order_of_arrival_and_of_bounded_length(raw_folder):
    session = open_session(raw_folder())
    blocks = list(session.blocks(0.5))
    starts = [b.host_time_s[0] for b in blocks]
    assert starts == sorted(starts)
    assert all(b.host_time_s[-1] - b.host_time_s[0] < 0.5 for b in blocks)
    assert {b.site for b in blocks[:2]} == {FOOT, SHANK}
    assert all(x.flags.c_contiguous for b in blocks for x in (b.device_time_s, b.host_time_s, b.acc_m_s2, b.gyr_rad_s))


def test_none_gives_one_block_a_notification(raw_folder):
    session = open_session(raw_folder())
    blocks = list(session.blocks(None))
    assert len(blocks) > 400
    assert all(len(set(b.host_time_s)) == 1 for b in blocks)


def test_blocks_can_be_read_twice(raw_folder, make):
    session = open_session(raw_folder())
    first, second = list(session.blocks()), list(session.blocks())
    assert len(first) == len(second) > 10
    assert all(map(make.same_bits, first, second))


def test_block_length_must_be_positive(raw_folder):
    with pytest.raises(ValueError, match="positive"):
        open_session(raw_folder()).blocks(0.0)


def test_lost_rows_are_counted(raw_folder, make):
    rows = np.delete(make.rows(), [100, 101, 102, 400], axis=0)
    session = open_session(raw_folder(texts={"right_foot": make.csv(rows)}))
    assert session.ledger[FOOT].lost == 4
    assert session.ledger[FOOT].received == 796
    assert not session.ledger[FOOT].lost_is_estimated


def test_a_repeated_first_timestamp_is_left_out_and_said(raw_folder, make):
    rows = make.rows()
    rows[1, 0] = rows[0, 0]
    session = open_session(raw_folder(texts={"right_foot": make.csv(rows)}))
    assert session.ledger[FOOT].duplicated == 1
    assert (np.diff(gather(session, FOOT)[:, 0]) > 0).all()
    assert any("repeated time" in note for note in session.notes)


def test_swapped_packets_are_sorted_and_said(raw_folder, make):
    rows = make.rows()
    swapped = rows.copy()
    swapped[[200, 201], :] = swapped[[201, 200], :]
    swapped[:, 1] = rows[:, 1]  # arrival stays in order
    session = open_session(raw_folder(texts={"right_foot": make.csv(swapped)}))
    np.testing.assert_array_equal(gather(session, FOOT), rows)
    assert any("out of order" in note for note in session.notes)


def test_a_device_restart_is_no_error(raw_folder, make):
    rows = make.rows()
    rows[400:, 0] = (rows[400:, 0] - 1230.0).round(6)
    session = open_session(raw_folder(texts={"right_foot": make.csv(rows)}))
    np.testing.assert_array_equal(gather(session, FOOT), rows)
    assert any("restarted 1 times" in note for note in session.notes)
    assert session.ledger[FOOT].lost == 0


@pytest.mark.parametrize("back", [False, True])
def test_a_computer_clock_that_is_set_is_taken_out_of_all_sensors(raw_folder, make, back):
    texts = {}
    for seed, site in enumerate(("right_foot", "right_shank"), start=1):
        rows = make.rows(seed=seed)
        rows[rows[:, 1] > 4.0, 1] += -3600.0 if back else 3600.0
        texts[site] = make.csv(rows)
    session = open_session(raw_folder(texts=texts))
    for seed, site in enumerate((FOOT, SHANK), start=1):
        np.testing.assert_allclose(gather(session, site), make.rows(seed=seed), atol=0.021)
    assert sum("host_time_s jumps" in note for note in session.notes) == 2


def test_single_stray_arrivals_and_stamps_are_mended(raw_folder, make):
    rows = make.rows()
    rows[300, 0] += 0.5
    rows[500, 1] -= 0.5
    session = open_session(raw_folder(texts={"right_foot": make.csv(rows)}))
    np.testing.assert_allclose(gather(session, FOOT)[:, 0], make.rows()[:, 0], atol=1e-6)
    np.testing.assert_allclose(gather(session, FOOT)[:, 1], make.rows()[:, 1], atol=0.031)
    assert sum("a single stray time in" in note for note in session.notes) == 2
    assert session.ledger[FOOT].lost == 0


def test_a_restart_without_host_time_keeps_the_order(raw_folder, make):
    rows = make.rows()
    rows[400:, 0] = (rows[400:, 0] - 1230.0).round(6)
    header = make.HEADER.replace("host_time_s,", "")
    session = open_session(raw_folder(texts={"right_foot": make.csv(np.delete(rows, 1, axis=1), header)}))
    times = np.concatenate([b.device_time_s for b in session.blocks() if b.site == FOOT])
    np.testing.assert_array_equal(times, rows[:, 0])
    assert session.duration_s == pytest.approx(8.0, abs=0.05)


def test_host_time_alone_is_enough_and_its_loss_an_estimate(raw_folder, make):
    rows = np.delete(make.rows(), slice(300, 320), axis=0)
    header = make.HEADER.replace("device_time_s,", "")
    session = open_session(raw_folder(texts={"right_foot": make.csv(np.delete(rows, 0, axis=1), header)}))
    block = next(b for b in session.blocks() if b.site == FOOT)
    assert isinstance(block, SampleBlock)
    assert block.device_time_s is None
    assert session.ledger[FOOT].lost_is_estimated
    assert session.ledger[FOOT].lost == pytest.approx(20, abs=5)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_host_time_alone_may_lose_any_share_of_its_samples(raw_folder, make, share):
    """What arrives in groups or with holes says nothing against the rate."""
    rows = make.rows()
    rows[:, 1] = rows[:, 0] - rows[0, 0]
    kept = np.random.default_rng(3).random(len(rows)) >= share
    header = make.HEADER.replace("device_time_s,", "")
    session = open_session(raw_folder(texts={"right_foot": make.csv(rows[kept, 1:], header)}))
    assert session.ledger[FOOT].lost == pytest.approx(share * len(rows), abs=60)


def test_names_and_numbers_may_stand_in_quotes(raw_folder, make):
    rows = make.rows()
    quoted = "".join(",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in make.csv(rows).splitlines())
    np.testing.assert_array_equal(gather(open_session(raw_folder(texts={"right_foot": quoted})), FOOT), rows)


def test_a_session_names_the_files_that_hold_its_samples(raw_folder):
    folder = raw_folder()
    assert set(open_session(folder).files) == {folder / "right_foot.csv", folder / "right_shank.csv"}


def test_columns_may_stand_in_any_order_with_others_between(raw_folder, make):
    rows = make.rows()
    order = [7, 0, 2, 3, 4, 5, 6, 1]
    names = [make.HEADER.split(",")[i] for i in order]
    text = make.csv(rows[:, order], ",".join(names)).replace("\n", ",note\n")
    session = open_session(raw_folder(texts={"right_foot": "\ufeff" + text.replace("\n", "\r\n")}))
    np.testing.assert_array_equal(gather(session, FOOT), rows)


def test_annotations_ranges_and_start_are_read(raw_folder):
    folder = raw_folder(
        spec={
            "annotations": [{"label": "standing", "start_s": 0.5, "end_s": 3}],
            "start_utc": "2026-05-14T11:30:00+02:00",
            "sensors": {
                "right_foot": {
                    "file": "right_foot.csv",
                    "rate_hz": 100,
                    "gyr_range_rad_s": 34.9,
                    "acc_range_m_s2": None,
                }
            },
        }
    )
    session = open_session(folder)
    (annotation,) = session.annotations
    assert (annotation.label, annotation.start_s, annotation.end_s) == ("standing", 0.5, 3.0)
    assert session.start_utc.isoformat() == "2026-05-14T09:30:00+00:00"
    assert session.sensors[FOOT].gyr_range_rad_s == 34.9
    assert session.sensors[FOOT].acc_range_m_s2 is None
    assert any("no right shank sensor" in note for note in session.notes)


def test_session_json_itself_may_be_named(raw_folder):
    assert open_session(raw_folder() / "session.json").sample_count == 1600


@pytest.mark.shared_data
def test_truth_trials_are_read_whole(shared_data):
    trials = sorted(p for p in (shared_data / "truth_trials").iterdir() if p.is_dir())
    assert trials
    for trial in trials:
        session = open_session(trial)
        assert sum(len(b) for b in session.blocks()) == session.sample_count > 20_000
        assert {a.label for a in session.annotations} >= {"standing", "walking"}
    lossy = open_session(shared_data / "truth_trials" / "walk_right_lossy_100hz")
    assert lossy.ledger[FOOT].lost == 144
