"""The session in plain lines: one for the present, some for the end."""

from subtalar.dashboard.places.live.instruction import saved_text
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.places.live.reading import Reading
from subtalar.dashboard.wording import SIDE_WORDS, SIGNALS, STRIDE_COLUMNS, angle_text, clock_text, owner_text
from subtalar.types import SIDES


def owner_prefix(model: LiveModel) -> str:
    """Whose session it is, before something else; empty where nobody said."""
    text = owner_text(*model.owner)
    return f"{text}  " if text else ""


def reading_text(reading: Reading) -> str:
    """``+12.3° ± 0.8``, or why there is no value."""
    if reading.value_deg is None:
        return f"– {reading.note}"
    sd = "" if reading.sd_deg is None else f" ± {reading.sd_deg:.1f}"
    return angle_text(reading.value_deg) + sd + (f" ({reading.note})" if reading.note else "")


def plain_line(model: LiveModel) -> str:
    """The present in one line for logs: time, instruction, angles, strides, sensors that do not stream."""
    instruction = model.instruction
    why = f" ({instruction.detail})" if instruction.level == "problem" and instruction.detail else ""
    parts = [clock_text(model.stream.elapsed_s), instruction.text + why]
    for side in SIDES:
        signals = model.signals_of(side)
        readings = [model.reading(side, k) for k in signals]
        notes = {r.note for r in readings}
        if all(r.value_deg is None for r in readings) and len(notes) == 1:
            parts.append(f"{side}: {notes.pop()}")
        else:
            values = ", ".join(
                f"{SIGNALS[k].title.lower()} {reading_text(r)}" for k, r in zip(signals, readings, strict=True)
            )
            parts.append(f"{side}: {values}")
    parts.append(f"{model.stream.stride_count} strides")
    parts += [f"{row.name.lower()} {row.link}" for row in model.sensor_rows if row.severity != "ok"]
    return " | ".join(parts)


def summary_lines(model: LiveModel, *, say_where: bool = True) -> list[str]:
    """What is left on the screen at the end."""
    stream, facts = model.stream, model.stream.facts
    ended = f"{model.instruction.text}."
    lines = ["This view was closed; the session goes on." if stream.running else ended]
    source = facts.source or "no source"
    lines.append(f"{owner_prefix(model)}{clock_text(stream.elapsed_s)} of {source}, {stream.stride_count} strides.")
    for mean in model.stride_means:
        parts = [
            f"{column.name} {column.text(m)} {column.unit}".replace(" °", "°").strip()
            for column, m in zip(STRIDE_COLUMNS, mean.mean, strict=True)
            if m == m
        ]
        lines.append(f"{SIDE_WORDS[mean.side]}, mean of the last {mean.n} good strides: {', '.join(parts)}.")
    lines += [f"{row.name}: battery {row.battery}, lost samples: {row.lost}." for row in model.sensor_rows]
    if facts.recording_error:
        lines.append(f"The recording has a problem: {facts.recording_error}")
    if facts.recording_note:
        lines.append(facts.recording_note)
    if say_where or not facts.recording_path:
        lines.append(saved_text(facts))
    return lines
