import pytest

from subtalar.acquisition.ring import SessionFacts
from subtalar.dashboard.places.live.instruction import choose_instruction
from subtalar.types import SIDES, BodySite, Ledger, Notice, Quality, SensorInfo, SensorStatus

RUNNING = SessionFacts("running", "simulated sensors", 0.0, 10.0, "/tmp/a.mcap")
STREAMING = [SensorStatus(SensorInfo(site, 100.0), "streaming") for site in BodySite]
REPLAY = SessionFacts("running", "replay of walk.mcap", 0.0, 10.0)
WALK = Notice(5.0, "advice", "walk", "Walk")


def choose(
    writer="alive", silence_s=0.0, facts=RUNNING, sensors=STREAMING, notices=(WALK,), now_s=9.0, waiting=(), **more
):
    return choose_instruction(writer, silence_s, facts, sensors, notices, now_s, frozenset(waiting), **more)


def lost(*sites):
    return [SensorStatus(s.info, "silent" if s.info.site in sites else s.link) for s in STREAMING]


@pytest.mark.parametrize(
    ("change", "level", "text", "detail"),
    [
        ({}, "advice", "Walk", ""),
        ({"notices": ()}, "info", "Measuring", ""),
        ({"notices": (), "sensors": ()}, "info", "Measuring", ""),
        ({"notices": (), "facts": SessionFacts()}, "info", "Getting ready", "sensors are streaming"),
        ({"writer": "died"}, "problem", "Recording stopped: the measuring process ended", "/tmp/a.mcap"),
        ({"writer": "closed"}, "done", "Session ended", "Saved in /tmp/a.mcap"),
        ({"facts": SessionFacts("ended")}, "done", "Session ended", "Nothing was recorded"),
        ({"facts": SessionFacts("ended"), "writer": "died"}, "done", "Session ended", "Nothing was recorded"),
        ({"facts": SessionFacts("ended", recording_error="disk full")}, "problem", "has a problem", "disk full"),
        ({"facts": SessionFacts("running", recording_error="disk full")}, "problem", "Not recording", "disk full"),
        ({"silence_s": 4.2}, "problem", "does not answer", "4 s"),
        ({"sensors": lost(BodySite.LEFT_FOOT)}, "problem", "Left foot sensor lost", "switched on"),
        ({"sensors": lost(*BodySite)}, "problem", "Left foot, left shank, right foot and right shank sensors", ""),
    ],
)
def test_the_most_serious_matter_wins(change, level, text, detail):
    said = choose(**change)
    assert said.level == level
    assert text in said.text
    assert detail in said.detail


def test_the_newest_advice_holds_until_settled_and_a_problem_passes():
    stand = Notice(1.0, "advice", "stand", "Stand still")
    moved = Notice(8.0, "problem", "moved", "You moved; stand still once more", "left")
    done = Notice(9.0, "info", "walk", "Enough strides")
    assert choose(notices=(stand, WALK)).text == "Walk"
    assert choose(notices=(stand, moved)).text == "Left: You moved; stand still once more"
    assert choose(notices=(stand, moved), now_s=60.0).text == "Stand still"
    assert choose(notices=(WALK, done)).text == "Enough strides"
    assert choose(notices=(WALK, done), now_s=60.0).text == "Measuring"
    news = Notice(8.5, "info", "calibrated", "Both ankles are ready")
    said = choose(notices=(WALK, news))
    assert (said.text, said.detail) == ("Walk", "Both ankles are ready")


def test_before_calibration_the_person_is_told_what_to_do():
    found = [Notice(6.0, "info", "standing_found", "Quiet standing of 3.0 s found.", side) for side in SIDES]
    assert choose(notices=(), waiting=SIDES).text == "Stand still, then walk"
    assert choose(notices=found[:1], waiting=SIDES).text == "Stand still, then walk"
    bend = "Bend the knees 3 times, then walk"
    assert choose(notices=found, waiting=SIDES).text == bend
    assert choose(notices=found[1:], waiting=["right"]).text == bend
    assert choose(notices=found, waiting=SIDES, walks=True).text == "Keep walking"
    assert "replay" not in choose(notices=(), facts=REPLAY).text
    assert choose(notices=(), waiting=SIDES, facts=REPLAY).text == "Replay: not calibrated yet"
    slip = Notice(8.0, "problem", "strides_do_not_fit", "The two sensors do not see the same steps", "left")
    assert choose(notices=(*found, slip), waiting=SIDES).level == "problem"
    old = Notice(0.0, "advice", "one_sensor", "The left leg has one sensor only")
    assert choose(notices=(old, *found), waiting=SIDES, now_s=30.0).text == bend


def test_a_session_that_could_not_go_on_is_no_success():
    why = "right_foot: Nothing listens at 127.0.0.1:1: check the address."
    nothing = choose(facts=SessionFacts("ended"), failed_because=why)
    assert (nothing.level, nothing.text) == ("problem", "The session did not start")
    assert nothing.detail == "Right foot: Nothing listens at 127.0.0.1:1: check the address."
    some = choose(facts=SessionFacts("ended", recording_path="/tmp/a.mcap"), failed_because=why)
    assert (some.level, some.text) == ("problem", "The session ended early")
    assert some.detail.endswith("check the address. Saved in /tmp/a.mcap")


def test_hardly_anything_lost_is_not_nothing():
    for ledger, words in (
        (Ledger(10_000, 0), "no samples lost"),
        (Ledger(10_000, 0, lost_is_estimated=True), "no loss noticed"),
        (Ledger(10_000, 1), "under 0.1 % of samples lost"),
        (Ledger(10_000, 40), "0.4 % of samples lost"),
    ):
        sensors = [SensorStatus(STREAMING[0].info, "streaming", ledger=ledger), *STREAMING[1:]]
        told = choose(notices=(), sensors=sensors, qualities=dict.fromkeys(SIDES, Quality.OK))
        assert told.detail == f"All 4 sensors stream, {words}."


def test_two_sensors_are_both():
    told = choose(notices=(), sensors=STREAMING[:2], qualities={STREAMING[0].info.site.side: Quality.OK})
    assert told.detail == "Both sensors stream, no samples lost."


def test_one_sensor_of_several_is_told_in_the_singular():
    sensors = [STREAMING[0], *(SensorStatus(s.info, "connecting") for s in STREAMING[1:])]
    told = choose(notices=(), sensors=sensors, facts=SessionFacts())
    assert told.detail == "1 of 4 sensors is streaming."


def test_while_it_measures_the_state_of_the_data_is_told_with_what_helps():
    good = dict.fromkeys(SIDES, Quality.OK)
    said = choose(notices=(), qualities=good)
    assert (said.text, said.detail) == (
        "Measuring: data good",
        "All 4 sensors stream, no samples lost.",
    )
    passing = choose(notices=(), qualities=good | {"left": Quality.CLIPPED})
    assert passing == said
    for quality, text, detail in (
        (Quality.HEADING_STALE, "Walk a few steps", "Left: less certain"),
        (Quality.FEW_STRIDES, "Keep walking", "Left: settling"),
        (Quality.NOT_CALIBRATED, "Keep walking", "Left: no angles yet"),
    ):
        told = choose(notices=(), qualities=good | {"left": quality})
        assert told.text == text
        assert told.detail.startswith(detail)
        replayed = choose(notices=(), qualities=good | {"left": quality}, facts=REPLAY)
        assert replayed.text == "Replay"
        assert replayed.detail.startswith(detail)
    lossy = [SensorStatus(STREAMING[0].info, "streaming", ledger=Ledger(970, 30)), *STREAMING[1:]]
    told = choose(notices=(), qualities=good, sensors=lossy)
    assert told.text == "Measuring: samples were lost"
    assert told.detail.startswith("Left foot sensor: 3.0 % of its samples lost so far.")


def test_a_replay_that_ended_is_not_a_session_that_went_unrecorded():
    ended = choose(facts=SessionFacts("ended", "replay of walk.mcap"))
    assert (ended.text, ended.detail) == ("Replay ended", "End of the replay of walk.mcap.")


def test_feet_alone_need_no_knee_bends():
    feet = (SensorStatus(SensorInfo(BodySite.LEFT_FOOT, 100.0), "streaming"),)
    first = choose_instruction("alive", 0.1, RUNNING, feet, (), 1.0, frozenset({"left"}))
    assert first.text == "Stand still, then walk"
    assert "bend" not in first.detail
    stood = (Notice(3.0, "info", "standing_found", "Standing still: good.", "left"),)
    assert choose_instruction("alive", 0.1, RUNNING, feet, stood, 5.0, frozenset({"left"})).text == "Walk"
