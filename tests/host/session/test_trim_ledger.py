"""What a cut says of a sensor that was gone: as much is missing as would have come in it."""

import math

import pytest

from subtalar.session import Recorder, session_info
from subtalar.session.recording.edit.trim import trim
from subtalar.types import BodySite, Ledger, LinkState, SensorStatus

GONE_S, NOTICED_S, END_S = 4.0, 5.1, 12.0
BACK_S = {"comes back": 9.0, "stays away": math.inf, "is gone for a moment": 5.0}
TOLD_EVERY_S = 0.3
FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK


@pytest.fixture(params=BACK_S)
def back_s(request):
    return BACK_S[request.param]


@pytest.fixture
def recorded(tmp_path, make, back_s):
    """The foot is gone from 4 s, noticed a second later, and maybe back; the shank streams all the time."""
    sensors = {s.site: s for s in make.sensors()}
    received = dict.fromkeys(sensors, 0)

    def status(site: BodySite, t: float) -> SensorStatus:
        link: LinkState = "reconnecting" if site == FOOT and NOTICED_S <= t < back_s else "streaming"
        missed = min(t, back_s) - GONE_S if site == FOOT and t >= min(NOTICED_S, back_s) else 0.0
        counts = Ledger(received[site], round(missed * sensors[site].rate_hz), link != "streaming")
        return SensorStatus(sensors[site], link, ledger=counts)

    path = tmp_path / "visit.mcap"
    with Recorder(path, make.sensors(), make.START) as recorder:
        told_s = 0.0
        for block in make.blocks(END_S):
            t = float(block.host_time_s[0])
            while told_s <= t:
                recorder.write_status([status(site, told_s) for site in sensors], told_s)
                recorder.sync()
                told_s += TOLD_EVERY_S
            if block.site != FOOT or not GONE_S <= t < back_s:
                recorder.write_block(block)
                received[block.site] += len(block)
    return path


@pytest.mark.parametrize(
    ("from_s", "to_s"),
    [
        *[(0.5, 3.5), (2.0, 6.0), (2.0, 4.7), (4.5, 8.0), (6.05, 7.95), (4.5, 5.0), (4.9, 5.3)],
        *[(6.0, 11.0), (4.3, 11.0), (8.8, 9.2), (1.0, 11.0), (10.0, 11.5)],
    ],
)
def test_what_is_missing_in_a_cut_is_what_would_have_come_in_it(recorded, tmp_path, back_s, from_s, to_s):
    trim(recorded, tmp_path / "part.mcap", from_s=from_s, to_s=to_s)
    facts = session_info(tmp_path / "part.mcap")
    gone_s = max(min(to_s, min(back_s, END_S)) - max(from_s, GONE_S), 0.0)
    foot, shank = (facts["ledger"][site.value] for site in (FOOT, SHANK))
    rate_hz = facts["sensors"][FOOT.value]["rate_hz"]
    assert shank["lost"] == 0
    assert foot["lost"] == pytest.approx(gone_s * rate_hz, abs=0.03 * rate_hz)
    assert foot["received"] == pytest.approx((to_s - from_s - gone_s) * rate_hz, abs=0.1 * rate_hz)
    in_the_gap = any(GONE_S <= t < (min(back_s, END_S)) for t in (from_s, to_s))
    assert foot["lost_is_estimated"] == (in_the_gap and foot["lost"] > 0)


@pytest.mark.parametrize("first_s", [4.2, 6.0])
def test_a_cut_of_a_cut_that_begins_in_a_gap(recorded, tmp_path, back_s, first_s):
    trim(recorded, tmp_path / "part.mcap", from_s=first_s)
    trim(tmp_path / "part.mcap", tmp_path / "once more.mcap", to_s=10.0)
    trim(recorded, tmp_path / "at once.mcap", from_s=first_s, to_s=10.0)
    foot, at_once = (session_info(tmp_path / f)["ledger"][FOOT.value] for f in ("once more.mcap", "at once.mcap"))
    assert foot["received"] == at_once["received"]
    assert foot["lost"] == pytest.approx(at_once["lost"], abs=25)  # the first cut begins with its first status


def test_an_open_end_takes_the_last_word(recorded, tmp_path, back_s):
    trim(recorded, tmp_path / "part.mcap", from_s=2.0)
    foot = session_info(tmp_path / "part.mcap")["ledger"][FOOT.value]
    whole = session_info(recorded)["ledger"][FOOT.value]
    assert foot["lost"] == whole["lost"] > 0
    assert foot["lost_is_estimated"] == whole["lost_is_estimated"] == math.isinf(back_s)
