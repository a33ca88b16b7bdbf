"""The session as a full screen of text."""

import itertools

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from subtalar.anatomy import ANKLE, AngleWords
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.terminal.keys import ELSEWHERE_KEY
from subtalar.dashboard.terminal.lines import owner_prefix, reading_text
from subtalar.dashboard.wording import (
    SIDE_WORDS,
    SIGNALS,
    STRIDE_COLUMNS,
    Level,
    Severity,
    clock_text,
    quality_text,
    size_text,
)
from subtalar.types import SIDES, FloatArray, Side

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
_SHOWN_COLUMNS = (0, 1, 2, 3, 4, 7)  # of STRIDE_COLUMNS: what fits 80 characters


def screen(model: LiveModel, marked: int | None = None) -> RenderableType:
    """Everything, for a terminal of 80 × 24 or more; ``marked``: markers so far, None where none can be put."""
    instruction = model.instruction
    banner = Text(f" {instruction.text} ", _LEVEL[instruction.level])
    if instruction.detail:
        banner.append(f"  {instruction.detail}", "default on default")
    return Group(_title(model, marked), banner, _angle_table(model), _stride_table(model), _sensor_table(model))


def _title(model: LiveModel, marked: int | None) -> Text:
    facts = model.stream.facts
    line = Text.assemble((clock_text(model.stream.elapsed_s), "bold"), f"  {owner_prefix(model)}{facts.source}")
    if marked is not None:
        line.append(f"  M or a digit: marker ({marked})", "dim")
    line.append("\n")
    if facts.recording_error:
        line.append(f"not recording: {facts.recording_error}", "bold red")
        return line.append(f"\nPress {ELSEWHERE_KEY} to go on in another folder.", "bold")
    if facts.recording_path:
        return line.append(f"recording to {facts.recording_path} ({size_text(facts.recorded_bytes)})", "green")
    return line.append("not recorded", "yellow")


def _angle_table(model: LiveModel) -> RenderableType:
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


def _last(model: LiveModel, side: Side, index: int) -> tuple[FloatArray, FloatArray, float]:
    trace = model.stream.sides[side]
    return trace.time_s, trace.signal(index)[0], model.stream.now_s


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


def _stride_table(model: LiveModel, n: int = 4) -> RenderableType:
    if not model.stream.strides:
        return Text("No strides yet.", "dim")
    table = _table()
    columns = [STRIDE_COLUMNS[k] for k in _SHOWN_COLUMNS]
    table.add_column("\nStride", no_wrap=True)
    for column in columns:
        table.add_column(f"{column.title} {column.unit}".strip(), justify="right")
    table.add_column("", no_wrap=True)
    for mean in model.stride_means:
        table.add_row(
            f"{SIDE_WORDS[mean.side]} mean",
            *(STRIDE_COLUMNS[k].text(mean.mean[k]) for k in _SHOWN_COLUMNS),
            style=f"bold {_SIDE_COLOUR[mean.side]}",
        )
    for stride in model.stream.strides[: -n - 1 : -1]:
        table.add_row(
            f"{SIDE_WORDS[stride.side]} {clock_text(stride.initial_contact_s)}",
            *(column.text(column.value(stride)) for column in columns),
            quality_text(stride.quality),
            style=_SIDE_COLOUR[stride.side],
        )
    return table


def _sensor_table(model: LiveModel) -> RenderableType:
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
