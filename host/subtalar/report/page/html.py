"""``report.html``: one file that opens without a network and prints on A4."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from subtalar import __version__
from subtalar.anatomy import AngleGroup
from subtalar.report.data_quality import ZERO_DEG, judge
from subtalar.report.measures import Curves, curves
from subtalar.report.page import content, data_quality_rows, further_angles
from subtalar.report.page.figures import SIDE_COLOURS, panel_figure, trend_figure, variability_figure, waveform_figure
from subtalar.report.results import AnalysisResult
from subtalar.types import Side


def write_html(path: Path, result: AnalysisResult) -> None:
    """Write the page."""
    path.write_text(render(result), encoding="utf-8")


def render(result: AnalysisResult, generated_utc: datetime | None = None) -> str:
    """The page as text; ``generated_utc`` is printed in its footer, now when not given."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = files("subtalar.report.page").joinpath("templates", "report.html.j2").read_text(encoding="utf-8")
    style = files("subtalar.report.page").joinpath("templates", "report.css").read_text(encoding="utf-8")
    side_curves: dict[Side, Curves] = {}
    for side, found in result.sides.items():
        curve = curves(found.used_waveforms_deg)
        if curve is not None:
            side_curves[side] = curve
    return environment.from_string(source).render(
        style=Markup(style),
        colours=SIDE_COLOURS,
        result=result,
        sides=list(result.sides),
        verdict=judge(result),
        provisional_zero=any(side.coverage.zero_sd_deg > ZERO_DEG for side in result.sides.values()),
        facts=content.facts(result),
        headline=content.headline(result),
        tiles=content.tiles(result),
        good_data_sentence=content.good_data_sentence(result),
        waveforms=_waveforms(result, side_curves),
        pronation=_further(result, ("subtalar",), "pronation"),
        pronation_words=further_angles.pronation_words(result),
        segments=_further(result, ("foot", "shank"), "segments"),
        segments_measured=further_angles.segments_measured(result),
        shank_only_note=content.shank_only_note(result),
        segment_words=further_angles.segment_words(result),
        has_pair=any(found.has_pair for found in result.sides.values()),
        groups=content.measure_groups(result),
        unknown_measures=content.unknown_measures(result),
        trends=_trends(result),
        variability=_variability(side_curves),
        variability_rows=content.variability_rows(result, side_curves),
        too_few_for_variability=content.too_few_for_variability(result),
        waveform_rows=content.waveform_rows(side_curves),
        angle_rows=data_quality_rows.angle_quality_rows(result),
        share_rows=data_quality_rows.quality_share_rows(result),
        doubtful_rows=data_quality_rows.doubtful_stride_rows(result),
        sensor_rows=data_quality_rows.sensor_rows(result),
        notices=data_quality_rows.notice_rows(result),
        version=__version__,
        generated=(generated_utc or datetime.now(UTC)).strftime("%d %B %Y %H:%M UTC"),
    )


def _waveforms(result: AnalysisResult, side_curves: dict[Side, Curves]) -> Markup | None:
    if not side_curves:
        return None
    foot_off = {side: result.sides[side].foot_off_pct for side in side_curves}
    # Made by matplotlib from numbers; the alternative text is escaped there.
    return Markup(waveform_figure(side_curves, foot_off, content.waveform_alt(side_curves)))


def _further(result: AnalysisResult, groups: Sequence[AngleGroup], name: str) -> Markup | None:
    panels = further_angles.panels(result, groups)
    if not panels:
        return None
    foot_off = {side: found.foot_off_pct for side, found in result.sides.items()}
    return Markup(panel_figure(panels, foot_off, name, further_angles.panels_alt(panels)))


def _trends(result: AnalysisResult) -> Markup | None:
    panels = content.trend_panels(result)
    return Markup(trend_figure(panels, result.duration_s, content.trend_alt(panels))) if panels else None


def _variability(side_curves: dict[Side, Curves]) -> Markup | None:
    several = {side: curve for side, curve in side_curves.items() if curve.n > 1}
    return Markup(variability_figure(several, content.variability_alt(several))) if several else None
