"""What ``subtalar bench adversity`` says of a session, on sessions whose every figure is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from subtalar.types import AngleBlock, BodySite, Ledger, Quality, SampleBlock
from subtalar_bench.adversity import Case
from subtalar_bench.adversity.results import judge
from subtalar_bench.adversity.session import LivedSession

FOOT = BodySite.RIGHT_FOOT
GONE_S, BACK_S, STREAMS_S, OK_S, END_S = 30.0, 35.0, 36.0, 38.4, 60.0
RATE_HZ = 200.0
CASE = Case("unplugged", "unplugged", "serial", "ximu3", (FOOT,))


def block(begin_s: float, end_s: float, offset_s: float = 100.0) -> SampleBlock:
    t = begin_s + np.arange(round((end_s - begin_s) * RATE_HZ)) / RATE_HZ
    return SampleBlock(FOOT, t + offset_s, t + 0.01, np.zeros((len(t), 3)), np.zeros((len(t), 3)))


def angles(begin_s: float, end_s: float, quality: Quality) -> AngleBlock:
    t = np.arange(begin_s, end_s, 1 / RATE_HZ)
    value = np.nan if quality is Quality.NO_DATA else 1.5
    shape = (len(t), 3)
    return AngleBlock.of_ankle(
        *("right", t, np.full(shape, value), np.full(shape, 0.3), np.full(len(t), quality, np.uint8)),
        np.full((len(t), 4), np.nan),
    )


def lived(**changes: object) -> LivedSession:
    body = SimpleNamespace(
        truth=lambda _side, t: np.full((len(t), 3), 1.0), contacts=lambda _side: 1000.0 + np.arange(0.0, 60.0, 1.0)
    )
    blocks = (block(0.0, GONE_S), block(STREAMS_S, END_S))
    received, lost = sum(map(len, blocks)), round((STREAMS_S - GONE_S) * RATE_HZ)
    rows = (
        angles(5.0, GONE_S, Quality.OK),
        angles(STREAMS_S, OK_S, Quality.NO_DATA),
        angles(OK_S, END_S, Quality.OK),
    )
    links = ((1.0, FOOT, "streaming"), (GONE_S + 1.8, FOOT, "silent"), (STREAMS_S, FOOT, "streaming"))
    ledger = Ledger(received=received, lost=lost, reconnects=1)
    whole = LivedSession(
        *(CASE, body, 1000.0, GONE_S, BACK_S, {"right_foot": received}, links),
        {FOOT: ledger},
        {FOOT: blocks},
        {"right": rows},
    )
    return replace(whole, **changes)


def test_a_session_that_got_over_it() -> None:
    found = judge(lived())
    assert found.noticed_s == pytest.approx(1.8)
    assert found.streaming_s == pytest.approx(1.0)
    assert found.strides == 1, "contacts at 37 and 38 s"
    assert found.angles_s == pytest.approx(2.4)
    assert (found.is_marked, found.invented, found.unaccounted, found.reconnects) == (True, 0, 0, 1)
    assert found.error_before_deg == pytest.approx((0.5, 0.5, 0.5))
    assert found.error_after_deg == pytest.approx((0.5, 0.5, 0.5))


def test_the_row_of_the_last_sample_is_not_in_the_hole() -> None:
    """The clock of the sensor is estimated: a row may lie a millisecond behind the arrival of its own sample."""
    last_arrival_s = GONE_S - 1 / RATE_HZ + 0.01
    rows = (angles(5.0012, last_arrival_s + 0.0013, Quality.OK), *lived().angles["right"][1:])
    assert rows[0].time_s[-1] > last_arrival_s
    found = judge(lived(angles={"right": rows}))
    assert (found.is_marked, found.invented) == (True, 0)


def test_what_never_came_back_has_no_figure() -> None:
    found = judge(lived(links=((1.0, FOOT, "streaming"),)))
    assert (found.noticed_s, found.streaming_s, found.strides) == (None, None, None)
    found = judge(lived(angles={"right": (angles(5.0, GONE_S, Quality.OK), angles(STREAMS_S, END_S, Quality.NO_DATA))}))
    assert (found.strides, found.angles_s) == (None, None)


def test_an_angle_inside_the_hole_is_found() -> None:
    rows = (*lived().angles["right"][:1], angles(32.0, 33.0, Quality.OK), *lived().angles["right"][1:])
    found = judge(lived(angles={"right": rows}))
    assert found.invented == 200
    assert not found.is_marked


def test_a_hole_that_no_row_tells_of_is_not_marked() -> None:
    rows = (angles(5.0, GONE_S, Quality.OK), angles(STREAMS_S, END_S, Quality.OK))
    assert not judge(lived(angles={"right": rows})).is_marked


def test_a_sample_too_few_is_missed_and_a_restarted_clock_is_understood() -> None:
    ledger = lived().ledgers[FOOT]
    assert judge(lived(ledgers={FOOT: replace(ledger, lost=ledger.lost - 1)})).unaccounted == -1
    restarted = (block(0.0, GONE_S), block(STREAMS_S, END_S, offset_s=-STREAMS_S))
    assert judge(lived(blocks={FOOT: restarted})).unaccounted == 0
