"""``report.html``: stands alone, says it plainly, and copes with whatever the session holds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subtalar.anatomy import FURTHER
from subtalar.report.analysis import analyze
from subtalar.report.data_quality import judge
from subtalar.report.measures import spread
from subtalar.report.page import html
from subtalar.report.page.content import mean_sd, number
from subtalar.report.page.further_angles import panels, panels_alt
from subtalar.report.page.html import render
from subtalar.report.results import AnalysisResult
from subtalar.session import Annotation, Session
from subtalar.types import AngleBlock, BodySite, Estimates, FloatArray, Notice

from .conftest import NAN, make_angles, make_estimates, make_session, make_stride, scripted
from .page import Page

pytestmark = pytest.mark.usefixtures("page_is_a_word")


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are drawn in test_pictures.py."""
    for name in ("waveform_figure", "panel_figure", "trend_figure", "variability_figure"):
        monkeypatch.setattr(html, name, lambda *values: "<svg></svg>")


def result_of(session: Session, out: Path, *script: Estimates) -> AnalysisResult:
    return analyze(session, out, estimator_factory=scripted(*script))


@pytest.fixture
def result(session: Session, tmp_path: Path) -> AnalysisResult:
    return result_of(session, tmp_path / "out", make_estimates())


def test_the_headline_is_in_plain_words(result: AnalysisResult) -> None:
    text = Page(render(result)).text
    assert "In 20 s, 15 strides of the left leg and 15 strides of the right leg were recorded (walking)." in text
    assert "Eversion (pronation) peaks at 8.0° ± 0.0° on the left and 8.0° ± 0.0° on the right." in text
    assert "Data quality: good. Enough strides (" in text
    assert "Of each stride, the foot is on the ground for " in text
    assert "What follows ± is the spread between strides; the measured angles themselves are uncertain by ±" in text
    assert "it does not diagnose" in text


def test_a_difference_within_the_uncertainty_is_marked(session: Session, tmp_path: Path) -> None:
    left, right = make_estimates(["left"], peak_eversion_deg=8.5), make_estimates(["right"])
    both = Estimates(angles=left.angles + right.angles, strides=left.strides + right.strides)
    assert re.search(r"Peak eversion</th>.*?\+0\.5<sup>†", render(result_of(session, tmp_path / "a", both)), re.DOTALL)
    left = make_estimates(["left"], peak_eversion_deg=12.0)
    both = Estimates(angles=left.angles + right.angles, strides=left.strides + right.strides)
    page = render(result_of(session, tmp_path / "b", both))
    assert re.search(r"Peak eversion</th>.*?\+4\.0</td>", page, re.DOTALL)


def test_unequal_stride_lengths_are_an_error_and_no_asymmetry(session: Session, tmp_path: Path) -> None:
    left, right = make_estimates(["left"], stride_length_m=1.5), make_estimates(["right"], stride_length_m=1.2)
    both = Estimates(angles=left.angles + right.angles, strides=left.strides + right.strides)
    page = render(result_of(session, tmp_path / "a", both))
    assert re.search(r'Stride length</th>.*?\+0\.30<sup>‡</sup></td><td class="n">–</td>', page, re.DOTALL)
    assert "‡ Both feet cover the same distance" in page
    assert "‡" not in render(result_of(session, tmp_path / "b", make_estimates(["right"])))


def test_names_from_outside_are_text_not_markup(tmp_path: Path) -> None:
    evil = "<script>alert('x')</script>&\"é–脚"
    session = make_session(tmp_path / "a<b>&c", notes=(evil,))
    result = result_of(session, tmp_path / "out", make_estimates(quality="<i>odd</i>"))
    sensor = replace(result.sensors[0], info=replace(result.sensors[0].info, model=evil))
    notice = replace(make_estimates(), notices=(Notice(1.0, "advice", "x", evil, "left"),))
    notices = result_of(session, tmp_path / "o", notice).notices
    result = replace(result, sensors=(sensor, *result.sensors[1:]), notices=notices)
    text = render(result)
    assert "<script" not in text
    assert "<i>" not in text
    page = Page(text)
    assert page.text.count("<script>alert('x')</script>&\"é–脚") == 3
    assert "a<b>&c" in page.text


def test_one_leg(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK])
    text = Page(render(result_of(session, tmp_path / "out", make_estimates(["right"])))).text
    assert "Left" not in text
    assert "Symmetry index (%)" not in text
    assert "15 strides of the right leg" in text


def test_one_sensor_only_reports_the_steps(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.LEFT_FOOT])
    strides = tuple(
        make_stride("left", float(k), quality="no_data", peak_eversion_deg=NAN, tibial_rotation_excursion_deg=NAN)
        for k in range(1, 13)
    )
    page = Page(render(result_of(session, tmp_path / "out", Estimates(strides=strides))))
    assert "The left leg carried a sensor on the foot only" in page.text
    assert "ankle angles are not" in page.text
    assert "Both must see the ankle" not in page.text
    assert "Ankle angles over the stride" not in page.headings
    assert "Stride length" in page.text
    assert "Not measured in this session: peak eversion" in page.text


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_few_strides(session: Session, tmp_path: Path, n: int) -> None:
    result = result_of(session, tmp_path / "out", make_estimates(strides=n))
    page = Page(render(result))
    assert judge(result).level == ("poor" if n < 3 else "limited")
    assert ("holds no strides" in page.text) == (n == 0)
    assert ("Key measures" in page.headings) == (n > 0)
    assert ("Stride-to-stride variability" in page.headings) == (n > 1)
    assert "nan" not in page.text.lower()


def test_a_leg_that_failed_stands_beside_one_that_did_not(session: Session, tmp_path: Path) -> None:
    half = make_estimates(["right"])
    estimates = replace(half, angles=(*half.angles, make_angles("left", known=False)))
    result = result_of(session, tmp_path / "out", estimates)
    page = Page(render(result))
    assert "Left: no strides were found." in page.text
    assert "Before the standing pose" in page.text
    assert "Ankle angles over the stride" in page.headings


def test_running_strides_are_counted_but_not_mixed_in(session: Session, tmp_path: Path) -> None:
    runs = tuple(make_stride("left", 16.0 + k, stance_ratio=0.35, peak_eversion_deg=99.0) for k in range(3))
    text = Page(render(result_of(session, tmp_path / "out", make_estimates(), Estimates(strides=runs)))).text
    assert "3 strides of the left leg in another gait are in strides.csv but not in these figures" in text
    assert "peaks at 8.0° ± 0.0° on the left" in text


def test_lost_samples_and_uncertain_strides_limit_the_verdict(tmp_path: Path) -> None:
    lossy = result_of(make_session(tmp_path / "s", lost=300), tmp_path / "a", make_estimates())
    assert judge(lossy).level == "limited"
    assert judge(lossy).reasons[0] == "The left foot sensor lost 7.0 % of its samples."
    gone = result_of(make_session(tmp_path / "s", lost=3000), tmp_path / "b", make_estimates())
    assert judge(gone).level == "poor"
    stale = result_of(make_session(tmp_path / "s"), tmp_path / "c", make_estimates(quality="heading_stale"))
    assert judge(stale).level == "poor"
    turns = Estimates(strides=tuple(make_stride("left", 0.5 + k, quality="turn") for k in range(1, 12)))
    turned = result_of(make_session(tmp_path / "s"), tmp_path / "d", make_estimates(), turns)
    assert judge(turned).level == "good"
    assert len(turned.sides["left"].used_strides) == 15


@pytest.mark.parametrize(
    ("value", "text"), [(-1.26, "−1.3"), (-0.04, "0.0"), (0.0, "0.0"), (NAN, "–"), (12.0, "12.0"), (2.25, "2.2")]
)
def test_numbers_on_the_page(value: float, text: str) -> None:
    assert number(value, 1) == text


@pytest.mark.parametrize(("value", "text"), [(1.0, "+1.0"), (-1.0, "−1.0"), (0.01, "0.0"), (-0.01, "0.0")])
def test_signed_numbers_on_the_page(value: float, text: str) -> None:
    assert number(value, 1, signed=True) == text


def with_further(block: AngleBlock, further_deg: FloatArray) -> AngleBlock:
    angles, sd = block.angles_deg.copy(), block.angles_sd_deg.copy()
    angles[:, FURTHER], sd[:, FURTHER] = further_deg, further_deg * 0 + 1
    return replace(block, angles_deg=angles, angles_sd_deg=sd)


def test_pronation_is_told_about_the_axis_that_was_used(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s")
    estimates = make_estimates()
    further = [np.c_[10 * np.sin(2 * np.pi * a.time_s), np.full((len(a), 4), NAN)] for a in estimates.angles]
    angles = tuple(with_further(a, f) for a, f in zip(estimates.angles, further, strict=True))
    result = analyze(
        session,
        tmp_path / "out",
        estimator_factory=scripted(replace(estimates, angles=angles)),
        subtalar_axis_deg=(35, 10),
    )
    page = Page(render(result))
    assert "Pronation about the subtalar axis" in page.headings
    assert "taken to rise by 35° and point 10° inwards from the foot’s long axis (set by the user)" in page.text
    assert "peaks at 11.0° on the left, 13.0° from contact and 11.0° on the right" in page.text
    assert "Foot and shank to the floor" not in page.headings
    assert "from −10° to 10°" in panels_alt(panels(result, ("subtalar",)))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["subtalar_axis"] == {"inclination_deg": 35, "deviation_deg": 10}
    assert summary["sides"]["left"]["further_mean_waveforms"]["foot_pitch_deg"] is None
    assert len(summary["sides"]["left"]["further_mean_waveforms"]["subtalar_deg"]["mean"]) == 101


def test_a_foot_alone_shows_its_own_curves(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.LEFT_FOOT])
    one = make_angles("left", known=False)
    wave = 20 * np.sin(2 * np.pi * one.time_s)
    further = np.c_[one.time_s * NAN, wave, 0.3 * wave, one.time_s * NAN, one.time_s * NAN]
    nan = {"peak_eversion_deg": NAN, "peak_subtalar_pronation_deg": NAN, "measured_by": "foot"}
    strides = tuple(make_stride("left", float(k), **nan) for k in range(2, 14))
    said = Estimates(angles=(with_further(one, further),), strides=strides)
    result = result_of(session, tmp_path / "out", said)
    page = Page(render(result))
    assert "Foot to the floor" in page.headings
    assert "Ankle angles over the stride" not in page.headings
    shown = panels_alt(panels(result, ("foot", "shank")))
    assert "Foot pitch, left: from −20° to 20°; Foot inversion, left: from −6° to 6°." in shown
    assert "Shank" not in shown
    assert result.sides["left"].coverage.known_ratio == 1.0
    # Nothing is said of what is not there.
    assert "How the foot stands to the floor. Zero is quiet standing, or the flat foot" in page.text
    assert "the turn of the shoe against the floor" in page.text
    assert "ISB joint coordinate system" not in page.text
    assert "foot is on the ground for 62 % on the left" in page.text


def test_a_shank_alone_does_not_pretend_to_know_foot_off(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.LEFT_SHANK])
    strides = tuple(make_stride("left", float(k), peak_eversion_deg=NAN, measured_by="shank") for k in range(2, 14))
    said = Estimates(angles=(make_angles("left", known=False),), strides=strides)
    page = Page(render(result_of(session, tmp_path / "out", said)))
    assert "foot is on the ground for about 62 % on the left" in page.text
    assert "On the left foot off is told from the shank alone" in page.text
    assert "the turn of the shoe" not in page.text
    both = Page(render(result_of(make_session(tmp_path / "t"), tmp_path / "out", make_estimates())))
    assert "shank alone" not in both.text
    assert "about 62 %" not in both.text


def test_a_table_without_a_picture_does_not_refer_to_one(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.LEFT_FOOT])
    strides = tuple(make_stride("left", float(k), measured_by="foot") for k in range(2, 14))
    said = Estimates(angles=(make_angles("left", known=False),), strides=strides)
    page = Page(render(result_of(session, tmp_path / "out", said)))
    assert "Stride time, coefficient of variation (%)" in page.text
    assert "The same in numbers" not in page.text


@pytest.mark.parametrize(
    ("lost", "words"), [(0, "no samples lost"), (1, "at most 0.1 % of a sensor’s"), (60, "at most 1.5 % of a sensor’s")]
)
def test_nothing_lost_and_hardly_anything_lost_differ(tmp_path: Path, lost: int, words: str) -> None:
    result = result_of(make_session(tmp_path / "s", lost=lost), tmp_path / "out", make_estimates())
    assert words in Page(render(result)).text


def test_a_spread_is_never_shown_as_none_at_all_and_never_broken_over_lines() -> None:
    assert mean_sd(spread([61.0, 61.0, 61.4]), 0) == "61.1\u00a0±\u00a00.2"
    assert mean_sd(spread([60.0, 62.0, 64.0]), 0) == "62\u00a0±\u00a02"
    assert mean_sd(spread([0.601, 0.603]), 1, 100.0) == "60.2\u00a0±\u00a00.1"
    assert mean_sd(spread([2.0]), 1) == "2.0"
    assert mean_sd(spread([]), 1) == "–"


def test_a_label_as_long_as_a_letter_is_cut(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", annotations=(Annotation("word_" * 500, 0.0, 1.0),))
    text = Page(render(result_of(session, tmp_path / "out", make_estimates()))).text
    assert "word word" in text
    assert text.count("word ") < 20


def test_strides_that_had_to_be_used_are_not_called_unusable(session: Session, tmp_path: Path) -> None:
    result = result_of(session, tmp_path / "out", make_estimates(quality="few_strides"))
    text = Page(render(result)).text
    assert "15 of 15 strides are uncertain, but in the means for want of better ones." in text
    assert "too uncertain to use" not in text
