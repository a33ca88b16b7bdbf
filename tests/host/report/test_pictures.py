"""The page with its pictures drawn."""

import re
from pathlib import Path

import numpy as np
import pytest

from subtalar.report.analysis import analyze
from subtalar.report.page.figures import running_median
from subtalar.report.page.html import render
from subtalar.report.results import AnalysisResult

from .conftest import make_estimates, make_session, scripted
from .page import Page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def result(folder: Path) -> AnalysisResult:
    return analyze(make_session(folder / "walk_1"), folder / "out", estimator_factory=scripted(make_estimates()))


def test_the_page_needs_nothing_from_outside(result: AnalysisResult, folder: Path) -> None:
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not re.search(r"https?:|//[a-z]", text)
    assert not re.search(r"@import|<script|<link|<iframe", text)
    assert all(match.startswith("#") for match in re.findall(r"url\(([^)]*)\)", text))
    linked = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href", "srcset", "data")]
    assert linked
    assert all(value.startswith("#") and value[1:] in page.ids for value in linked)


def test_pictures_have_alternative_texts_and_ids_of_their_own(result: AnalysisResult) -> None:
    page = Page(render(result))
    assert len(page.ids) == len(set(page.ids))
    pictures = [value for tag, name, value in page.attributes if tag == "svg" and name == "aria-labelledby"]
    assert pictures == ["waveforms-alt", "trends-alt", "variability-alt"]
    assert ("html", "lang", "en") in page.attributes
    assert "Mean ankle angles over the gait cycle" in render(result)


@pytest.mark.parametrize("strides", [1, 3])
def test_hardly_anything_can_be_drawn_as_well(tmp_path: Path, strides: int) -> None:
    session = make_session(tmp_path / "s", duration_s=400.0)
    estimates = make_estimates(["right"], strides=strides)
    assert "<svg" in render(analyze(session, tmp_path / "out", estimator_factory=scripted(estimates)))


def test_running_median_ignores_an_outlier() -> None:
    values = np.full(60, 5.0)
    values[30] = 500.0
    assert (running_median(values) == 5.0).all()
    assert len(running_median(np.array([1.0]))) == 1


def test_running_median_is_not_drawn_to_the_last_stride() -> None:
    values = np.full(200, 5.0)
    values[[0, -1]] = 500.0
    assert (running_median(values) == 5.0).all()
