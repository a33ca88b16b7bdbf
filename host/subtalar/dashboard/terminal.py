"""The live session as text: a full-screen view in a terminal, one plain line a second anywhere else."""

import contextlib
import itertools
import time

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from subtalar.acquisition.commands import CommandSender, Mark, RecordTo, Stop
from subtalar.acquisition.ring import RingReader
from subtalar.anatomy import ANKLE, AngleWords
from subtalar.dashboard.instruction import Level, saved_text
from subtalar.dashboard.keys import Keys
from subtalar.dashboard.model import DashboardModel, Reading
from subtalar.dashboard.wording import (
    SIDE_WORDS,
    SIGNALS,
    STRIDE_COLUMNS,
    Severity,
    about_text,
    angle_text,
    clock_text,
    quality_text,
    size_text,
)
from subtalar.types import SIDES, FloatArray, Side

REFRESH_S = 0.2
PLAIN_EVERY_S = 1.0
WAIT_FOR_END_S = 5.0
ELSEWHERE_KEY = "e"
MARK_KEY = "m"

_COLOUR: dict[Severity, str] = {"ok": "green", "waiting": "yellow", "problem": "bold red", "off": "dim"}
_LEVEL: dict[Level, str] = {
    "info": "bold",
    "advice": "bold white on blue",
    "problem": "bold white on red",
    "done": "bold green",
}
_SIDE_COLOUR: dict[Side, str] = {"left": "bright_blue", "right": "dark_orange"}
_BARS = "▁▂▃▄▅▆▇█"
_SPARK_S = 3.0
_STRIDE_KEYS = (0, 1, 2, 3, 4, 7)  # of STRIDE_COLUMNS: what fits 80 characters


def run(
    ring_name: str,
    control: CommandSender | None = None,
    *,
    duration_s: float | None = None,
    wait_s: float = 15.0,
    console: Console | None = None,
    say_where: bool = True,
) -> int:
    """Show a session until it ends; after ``duration_s`` of session time, or on Ctrl-C, ask it to end.

    Without ``control`` both only end the view. ``say_where``: the last line says where the recording is; False for
    whoever says it after this. Returns 0, or 1 when the measuring process died. Raises
    InputError when no such session appears within ``wait_s``.
    """
    console = console or Console()
    with RingReader.attach(ring_name, wait_s=wait_s) as reader:
        model = DashboardModel(reader)
        try:
            _follow(model, console, control, duration_s)
        except KeyboardInterrupt:
            _send_stop(control)
        if control is not None:
            _wait_for_end(model)
        for line in summary_lines(model, say_where=say_where):
            _print(console, line)
        return 1 if model.writer == "died" and model.facts.state != "ended" else 0


def _follow(model: DashboardModel, console: Console, control: CommandSender | None, duration_s: float | None) -> None:
    model.refresh()
    live = Live(console=console, auto_refresh=False, screen=False, transient=True) if console.is_terminal else None
    keys = Keys()
    with live or contextlib.nullcontext(), keys if live is not None else contextlib.nullcontext():
        next_line = 0.0
        marked = 0
        while model.running:
            if live is not None:
                live.update(screen(model, marked if control is not None else None), refresh=True)
                key = keys.pressed()
                if key == ELSEWHERE_KEY and model.facts.recording_error and control is not None:
                    _record_elsewhere(live, keys, console, control)
                elif control is not None:
                    marked += _mark(control, key, marked + 1)
            elif time.monotonic() >= next_line:
                _print(console, plain_line(model))
                next_line = time.monotonic() + PLAIN_EVERY_S
            if duration_s is not None and model.elapsed_s >= duration_s:
                _send_stop(control)
                return
            time.sleep(REFRESH_S)
            model.refresh()


def _mark(control: CommandSender, key: str, number: int) -> bool:
    """Put a marker into the session if that is what the key is for; whether it was."""
    if key != MARK_KEY and not key.isdecimal():
        return False
    with contextlib.suppress(OSError, EOFError):  # nobody listens any more: the model says so
        control.send(Mark(key if key.isdecimal() else f"marker {number}"))
        return True
    return False


def _record_elsewhere(live: Live, keys: Keys, console: Console, control: CommandSender) -> None:
    """Ask where; the session runs in another process and does not wait for the answer."""
    from subtalar.session.paths import recordings_folder  # loads what reads recordings: seldom needed here

    live.stop()
    keys.__exit__(None, None, None)
    usual = str(recordings_folder())
    with contextlib.suppress(EOFError, OSError):
        place = console.input(f"Go on recording in which folder? (empty: {escape(usual)}) ").strip()
        control.send(RecordTo(place or usual))
    keys.__enter__()
    live.start()


def _print(console: Console, line: str) -> None:
    """One unbroken line, spelt in ASCII where the output (a pipe on Windows, say) knows no better."""
    try:
        line.encode(console.encoding)
    except UnicodeEncodeError:
        plain = line.replace("−", "-").replace("±", "+/-").replace("°", " deg").replace("≈", "~").replace("–", "-")
        line = plain.encode(console.encoding, "replace").decode(console.encoding)
    console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.file.flush()


def _send_stop(control: CommandSender | None) -> None:
    if control is not None:
        with contextlib.suppress(OSError, EOFError):  # nobody listens any more: the summary says so
            control.send(Stop())


def _wait_for_end(model: DashboardModel) -> None:
    deadline = time.monotonic() + WAIT_FOR_END_S
    with contextlib.suppress(KeyboardInterrupt):
        while model.refresh() or (model.running and time.monotonic() < deadline):
            time.sleep(REFRESH_S / 4)
            if not model.running:
                return


def _whose(model: DashboardModel) -> str:
    """Whose session it is, before something else; empty where nobody said."""
    facts = model.facts
    text = about_text(facts.participant, facts.visit, facts.condition)
    return f"{text}  " if text else ""


def screen(model: DashboardModel, marked: int | None = None) -> RenderableType:
    """Everything, for a terminal of 80 × 24 or more; ``marked``: markers so far, None where none can be put."""
    said = model.instruction
    banner = Text(f" {said.text} ", _LEVEL[said.level])
    if said.detail:
        banner.append(f"  {said.detail}", "default on default")
    return Group(_title(model, marked), banner, _angle_table(model), _stride_table(model), _sensor_table(model))


def _title(model: DashboardModel, marked: int | None) -> Text:
    facts = model.facts
    line = Text.assemble((clock_text(model.elapsed_s), "bold"), f"  {_whose(model)}{facts.source}")
    if marked is not None:
        line.append(f"  M or a digit: marker ({marked})", "dim")
    line.append("\n")
    if facts.recording_error:
        line.append(f"not recording: {facts.recording_error}", "bold red")
        return line.append(f"\nPress {ELSEWHERE_KEY} to go on in another folder.", "bold")
    if facts.recording_path:
        return line.append(f"recording to {facts.recording_path} ({size_text(facts.recorded_bytes)})", "green")
    return line.append("not recorded", "yellow")


def _angle_table(model: DashboardModel) -> RenderableType:
    table = _table()
    table.add_column("Now, and last 3 s", no_wrap=True)
    for side in SIDES:
        table.add_column(SIDE_WORDS[side], style=_SIDE_COLOUR[side], no_wrap=True, min_width=16)
        table.add_column("", style=_SIDE_COLOUR[side], no_wrap=True)
    for k in model.signals:
        cells = [SIGNALS[k].title]
        for side in SIDES:
            cells += [reading_text(model.reading(side, k)), sparkline(*_last(model, side, k))]
        table.add_row(*cells)
    shown = [SIGNALS[k] for k in model.signals]
    plus, minus = (
        ", ".join(dict.fromkeys(_direction(words, sign) for words in shown)).replace("turns ", "") for sign in (1, -1)
    )
    return Group(table, Text(f"+ {plus}   − {minus}", "dim"))


def _direction(words: AngleWords, sign: int) -> str:
    """What a sign means, in few words; an ankle angle's own name of it is not everybody's."""
    if words in SIGNALS[ANKLE]:
        return words.plus_means if sign > 0 else words.minus_means
    return words.plus if sign > 0 else words.minus


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")


def _last(model: DashboardModel, side: Side, index: int) -> tuple[FloatArray, FloatArray, float]:
    trace = model.sides[side]
    return trace.time_s, trace.signal(index)[0], model.now_s


def sparkline(time_s: FloatArray, values: FloatArray, now_s: float, width: int = 12) -> str:
    """The last three seconds as a row of bars, blank where nothing was measured."""
    edges = np.linspace(now_s - _SPARK_S, now_s, width + 1)
    starts = np.searchsorted(time_s, edges)
    means = [
        float(np.nanmean(values[a:b])) if np.isfinite(values[a:b]).any() else float("nan")
        for a, b in itertools.pairwise(starts.tolist())
    ]
    if not np.isfinite(means).any():
        return " " * width
    low, high = float(np.nanmin(means)), float(np.nanmax(means))
    middle, reach = (low + high) / 2, max(high - low, 4.0)
    return "".join(
        _BARS[int(np.clip((v - middle) / reach + 0.5, 0, 0.999) * len(_BARS))] if np.isfinite(v) else " " for v in means
    )


def reading_text(reading: Reading) -> str:
    """``+12.3° ± 0.8``, or why there is no value."""
    if reading.value_deg is None:
        return f"– {reading.note}"
    sd = "" if reading.sd_deg is None else f" ± {reading.sd_deg:.1f}"
    return angle_text(reading.value_deg) + sd + (f" ({reading.note})" if reading.note else "")


def _stride_table(model: DashboardModel, n: int = 4) -> RenderableType:
    if not model.strides:
        return Text("No strides yet.", "dim")
    table = _table()
    columns = [STRIDE_COLUMNS[k] for k in _STRIDE_KEYS]
    table.add_column("\nStride", no_wrap=True)
    for column in columns:
        table.add_column(f"{column.title} {column.unit}".strip(), justify="right")
    table.add_column("", no_wrap=True)
    for mean in model.stride_means:
        table.add_row(
            f"{SIDE_WORDS[mean.side]} mean",
            *(STRIDE_COLUMNS[k].text(mean.mean[k]) for k in _STRIDE_KEYS),
            style=f"bold {_SIDE_COLOUR[mean.side]}",
        )
    for stride in model.strides[: -n - 1 : -1]:
        table.add_row(
            f"{SIDE_WORDS[stride.side]} {clock_text(stride.initial_contact_s)}",
            *(column.text(column.value(stride)) for column in columns),
            quality_text(stride.quality),
            style=_SIDE_COLOUR[stride.side],
        )
    return table


def _sensor_table(model: DashboardModel) -> RenderableType:
    if not model.sensor_rows:
        return Text("No sensor has answered yet.", "dim")
    table = _table()
    for head in ("Sensor", "Link", "Rate", "Battery", "Lost"):
        table.add_column(head, justify="left" if head in ("Sensor", "Link") else "right", no_wrap=True)
    for row in model.sensor_rows:
        table.add_row(
            row.name,
            Text(row.link, _COLOUR[row.severity]),
            row.rate,
            Text(f"{row.battery} low" if row.battery_low else row.battery, "bold red" if row.battery_low else ""),
            Text(row.lost, "bold red" if row.lost_many else ""),
        )
    return table


def plain_line(model: DashboardModel) -> str:
    """The present in one line for logs: time, instruction, angles, strides, sensors that do not stream."""
    said = model.instruction
    why = f" ({said.detail})" if said.level == "problem" and said.detail else ""
    parts = [clock_text(model.elapsed_s), said.text + why]
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
    parts.append(f"{model.stride_count} strides")
    parts += [f"{row.name.lower()} {row.link}" for row in model.sensor_rows if row.severity != "ok"]
    return " | ".join(parts)


def summary_lines(model: DashboardModel, *, say_where: bool = True) -> list[str]:
    """What is left on the screen at the end."""
    facts = model.facts
    ended = f"{model.instruction.text}."
    lines = ["This view was closed; the session goes on." if model.running else ended]
    lines.append(
        f"{_whose(model)}{clock_text(model.elapsed_s)} of {facts.source or 'no source'}, {model.stride_count} strides."
    )
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
