"""The one line that tells the person what to do, or what is wrong: the most serious matter wins."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from subtalar.acquisition.ring import SessionFacts, WriterState
from subtalar.dashboard.wording import SIDE_WORDS, Level, is_replay, lost_share, lost_words, site_words
from subtalar.types import SIDES, BodySite, Notice, Quality, SensorStatus, Side

NO_ANSWER_AFTER_S = 3.0
PROBLEM_SHOWN_S = 8.0
INFO_SHOWN_S = 6.0
MANY_LOST_RATIO = 0.01


@dataclass(frozen=True)
class Instruction:
    """``text`` in big type, ``detail`` below it (may be empty)."""

    text: str
    detail: str
    level: Level


def saved_text(facts: SessionFacts) -> str:
    """Where the recording is, as a sentence."""
    if not facts.recording_path and is_replay(facts.source):
        return f"End of the {facts.source}."
    return f"Saved in {facts.recording_path}" if facts.recording_path else "Nothing was recorded."


def choose_instruction(
    writer: WriterState,
    silence_s: float,
    facts: SessionFacts,
    sensors: Sequence[SensorStatus],
    notices: Sequence[Notice],
    now_s: float,
    uncalibrated: frozenset[Side] = frozenset(),
    qualities: Mapping[Side, Quality] | None = None,
    walks: bool = False,
    failed_because: str = "",
    recording_moved_s: float = math.inf,
) -> Instruction:
    """What to show.

    ``silence_s`` since the writer's last sign of life, ``now_s`` on the session clock, ``uncalibrated`` the sides
    that stream but have no angles yet, given only while no side has any; ``qualities`` of the newest angles of the
    sides that stream; ``walks`` once there are strides; ``failed_because`` why a session that ended could not go on;
    ``recording_moved_s`` since the recording went on in another file.
    """
    if facts.state == "ended" or writer == "closed":
        if facts.recording_error:
            return Instruction("Session ended; the recording has a problem", facts.recording_error, "problem")
        if failed_because:
            return _failed(facts, failed_because)
        return Instruction("Replay ended" if is_replay(facts.source) else "Session ended", saved_text(facts), "done")
    if writer == "died":
        detail = saved_text(facts) + (" · Start a new session to go on." if facts.recording_path else "")
        return Instruction("Recording stopped: the measuring process ended", detail, "problem")
    if silence_s > NO_ANSWER_AFTER_S:
        return Instruction(
            "The measuring process does not answer", f"No sign of life for {silence_s:.0f} s.", "problem"
        )
    if facts.recording_error:
        return Instruction("Not recording", facts.recording_error, "problem")
    if facts.recording_note and recording_moved_s < PROBLEM_SHOWN_S:
        return Instruction("Recording goes on in another place", facts.recording_note, "advice")
    lost = [site_words(s.info.site) for s in sensors if s.link in ("silent", "reconnecting")]
    if lost:
        return Instruction(
            f"{_list(lost)} sensor{'s' if len(lost) > 1 else ''} lost",
            "Reconnecting by itself. Check that it is switched on, charged and within reach.",
            "problem",
        )
    if uncalibrated and not any(n.level != "info" and now_s - n.time_s < PROBLEM_SHOWN_S for n in notices):
        waiting = {s.info.site.segment for s in sensors if s.info.site.side in uncalibrated}
        return _calibrate(facts, notices, uncalibrated, walks, feet_only=waiting == {"foot"})
    return _from_notices(notices, now_s) or _waiting(facts, sensors) or _measuring(facts, sensors, qualities or {})


def _failed(facts: SessionFacts, why: str) -> Instruction:
    """The session ended by itself, before or in the middle of the measurement."""
    for site in BodySite:
        why = why.replace(f"{site.value}: ", f"{site_words(site)}: ")
    if not facts.recording_path:
        return Instruction("The session did not start", why, "problem")
    return Instruction("The session ended early", f"{why} {saved_text(facts)}", "problem")


def _calibrate(
    facts: SessionFacts, notices: Sequence[Notice], uncalibrated: frozenset[Side], walks: bool, *, feet_only: bool
) -> Instruction:
    """What the estimator waits for."""
    if is_replay(facts.source):
        return Instruction("Replay: not calibrated yet", "Angles appear after the person's first strides.", "info")
    if walks:
        return Instruction("Keep walking", "Straight ahead. Angles appear after a few strides.", "advice")
    stood = {n.side for n in notices if n.code == "standing_found"}
    if feet_only:
        # Knee bends tell nothing about a foot.
        if uncalibrated <= stood:
            return Instruction("Walk", "Straight ahead. Angles appear after a few strides.", "advice")
        detail = "Stand for 3 seconds, then walk straight ahead. Angles then appear."
        return Instruction("Stand still, then walk", detail, "advice")
    if uncalibrated <= stood:
        detail = "Slowly, heels on the ground. Then straight ahead: angles appear after a few strides."
        return Instruction("Bend the knees 3 times, then walk", detail, "advice")
    detail = "Stand for 3 seconds, bend the knees slowly 3 times, walk straight ahead. Angles then appear."
    return Instruction("Stand still, then walk", detail, "advice")


def _from_notices(notices: Sequence[Notice], now_s: float) -> Instruction | None:
    main: Notice | None = None
    for notice in notices:
        if notice.level == "advice" or (notice.level == "problem" and now_s - notice.time_s < PROBLEM_SHOWN_S):
            main = notice
        elif main is not None and notice.code == main.code:
            main = None  # an "info" under the same code says that the matter is settled
    news = [n for n in notices if n is not main and n.level != "problem" and now_s - n.time_s < INFO_SHOWN_S]
    detail = _sentence(news[-1]) if news and (main is None or news[-1].level == "info") else ""
    if main is not None and main.text:
        return Instruction(_sentence(main), detail, "problem" if main.level == "problem" else "advice")
    return Instruction(detail, "", "info") if detail else None


def _waiting(facts: SessionFacts, sensors: Sequence[SensorStatus]) -> Instruction | None:
    ready = sum(s.link == "streaming" for s in sensors)
    if ready == len(sensors) and facts.state != "starting":
        return None
    are = "is" if ready == 1 else "are"
    count = f"{ready} of {len(sensors)} sensors {are} streaming." if sensors else "Looking for sensors."
    return Instruction("Getting ready", count, "info")


def _measuring(facts: SessionFacts, sensors: Sequence[SensorStatus], qualities: Mapping[Side, Quality]) -> Instruction:
    """Whether the data are good and, where they are not, what helps. Passing impacts and short gaps do not count."""
    title = "Replay" if is_replay(facts.source) else "Measuring"
    many = [s for s in sensors if lost_share(s.ledger) >= MANY_LOST_RATIO]
    doubts = (
        (Quality.NOT_CALIBRATED, "Keep walking", "no angles yet; they appear after a few strides straight ahead."),
        (Quality.HEADING_STALE, "Walk a few steps", "less certain after a rest; walking makes the angles sure again."),
        (Quality.FEW_STRIDES, "Keep walking", "settling; a few more strides make the angles surer."),
        (
            Quality.PROVISIONAL_ZERO,
            "Stand still for 2 seconds",
            "zero still comes from the walk; standing makes it exact.",
        ),
    )
    for quality, advice, why in doubts:
        sides = [SIDE_WORDS[side] for side in SIDES if qualities.get(side) is quality]
        if sides:
            text = title if is_replay(facts.source) else advice
            return Instruction(text, f"{' and '.join(sides)}: {why}", "info")
    if many:
        worst = max(many, key=lambda s: lost_share(s.ledger))
        where = (
            f"{site_words(worst.info.site)} sensor: {100 * lost_share(worst.ledger):.1f} % of its samples lost so far."
        )
        return Instruction(
            f"{title}: samples were lost", f"{where} If that grows, bring it nearer or charge it.", "info"
        )
    if not any(quality in (Quality.OK, Quality.CLIPPED, Quality.BRIDGED_GAP) for quality in qualities.values()):
        return Instruction(title, "", "info")
    lost = max((lost_share(s.ledger) for s in sensors), default=0.0)
    some_estimated = any(s.ledger.lost_is_estimated for s in sensors)
    stream = {1: "The sensor streams", 2: "Both sensors stream"}.get(len(sensors), f"All {len(sensors)} sensors stream")
    return Instruction(f"{title}: data good", f"{stream}, {lost_words(lost, some_estimated)}.", "info")


def _sentence(notice: Notice) -> str:
    if notice.side is None or notice.side in notice.text.lower():
        return notice.text
    return f"{SIDE_WORDS[notice.side]}: {notice.text}"


def _list(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return ", ".join([names[0], *(n.lower() for n in names[1:-1])]) + f" and {names[-1].lower()}"
