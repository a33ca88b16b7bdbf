"""The run as a whole: what appears in the folder, and when nothing does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from subtalar.errors import InputError
from subtalar.report.analysis import OUTPUT_FILES, analyze
from subtalar.session import Session
from subtalar.types import BodySite, Estimates, SampleBlock

from .conftest import ScriptedEstimator, make_angles, make_estimates, make_session, make_stride, problem, scripted

FILES = sorted(OUTPUT_FILES)

pytestmark = pytest.mark.usefixtures("page_is_a_word")


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_four_files_and_nothing_else(session: Session, tmp_path: Path) -> None:
    result = analyze(session, tmp_path / "deep" / "out", estimator_factory=scripted(make_estimates()))
    assert names(tmp_path / "deep" / "out") == FILES == ["angles.csv", "report.html", "strides.csv", "summary.json"]
    assert result.stride_count == 30
    assert len(result.sides["left"].used_waveforms_deg) == 15


def test_progress_rises_to_the_end(session: Session, tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []
    analyze(
        session,
        tmp_path / "out",
        progress=lambda done_s, total_s: seen.append((done_s, total_s)),
        estimator_factory=scripted(make_estimates()),
    )
    done = [d for d, _ in seen]
    assert done == sorted(done)
    assert done[0] < 10
    assert seen[-1] == (20.0, 20.0)


def test_earlier_results_are_replaced_and_other_files_left_alone(session: Session, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "strides.csv").write_text("old")
    (out / ".subtalar-unfinished").mkdir()
    (out / ".subtalar-unfinished" / "angles.left.part").write_text("of an analysis that was killed")
    analyze(session, out, estimator_factory=scripted(make_estimates()))
    assert names(out) == sorted([*FILES, "notes.txt"])
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "strides.csv").read_text() != "old"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InputError("the file ends early."), RuntimeError("a defect")])
@pytest.mark.parametrize("pushes", [0, 1])
def test_an_interrupted_run_leaves_nothing(session: Session, tmp_path: Path, error: BaseException, pushes: int) -> None:
    out = tmp_path / "new" / "out"
    script = (*[make_estimates()] * pushes, error)
    with pytest.raises(type(error)):
        analyze(session, out, estimator_factory=scripted(*script))
    assert names(tmp_path) == []


def test_an_interrupted_run_keeps_the_earlier_results(session: Session, tmp_path: Path) -> None:
    out = tmp_path / "out"
    analyze(session, out, estimator_factory=scripted(make_estimates()))
    before = {name: (out / name).read_bytes() for name in FILES}
    with pytest.raises(KeyboardInterrupt):
        analyze(session, out, estimator_factory=scripted(make_estimates(), KeyboardInterrupt()))
    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_a_source_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    whole = make_session(tmp_path / "s")

    def broken(block_s: float | None) -> Iterator[SampleBlock]:
        yield from list(whole.blocks(block_s))[:2]
        raise InputError("the recording is damaged from second 5 on.")

    session = make_session(tmp_path / "s", _source=broken)
    with pytest.raises(InputError, match="damaged"):
        analyze(session, tmp_path / "out", estimator_factory=scripted(make_estimates()))
    assert names(tmp_path) == []


def test_a_folder_that_is_a_link_to_itself(session: Session, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for place in ("loop", "loop/out"):
        with pytest.raises(InputError, match="name another"):
            analyze(session, tmp_path / place, estimator_factory=scripted(make_estimates()))


def test_a_second_analysis_does_not_destroy_the_first(session: Session, tmp_path: Path) -> None:
    class Nosy(ScriptedEstimator):
        def push(self, block: SampleBlock) -> Estimates:
            with pytest.raises(InputError, match="Another analysis is writing"):
                analyze(session, tmp_path / "out", estimator_factory=scripted(make_estimates()))
            return super().push(block)

    analyze(session, tmp_path / "out", estimator_factory=lambda sensors: Nosy([make_estimates()]))
    assert names(tmp_path / "out") == FILES


def test_samples_are_never_written_over(tmp_path: Path) -> None:
    samples = tmp_path / "walk" / "angles.csv"
    samples.parent.mkdir()
    samples.write_text("what was measured")
    (tmp_path / "also").symlink_to(samples.parent)
    session = make_session(samples.parent, files=(samples,))
    with pytest.raises(InputError, match="holds samples of this session"):
        analyze(session, tmp_path / "also", estimator_factory=scripted(make_estimates()))
    assert samples.read_text() == "what was measured"
    assert [p.name for p in samples.parent.iterdir()] == ["angles.csv"]


def test_a_file_in_place_of_the_folder_is_refused_before_the_run(session: Session, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(InputError, match=r"is a file, and the results need a folder"):
        analyze(session, tmp_path / "out", estimator_factory=scripted(KeyboardInterrupt()))
    assert (tmp_path / "out").read_text() == "precious"


@pytest.mark.parametrize("under", ["file/out", "out"])
def test_a_place_that_cannot_hold_results_is_one_sentence(session: Session, tmp_path: Path, under: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "angles.csv").mkdir(parents=True)
    with pytest.raises(InputError) as refusal:
        analyze(session, tmp_path / under, estimator_factory=scripted(make_estimates()))
    assert "\n" not in str(refusal.value)
    assert str(tmp_path / under) in str(refusal.value)


def refusal(session: Session, out: Path, *script: Estimates) -> str:
    with pytest.raises(InputError) as error:
        analyze(session, out, estimator_factory=scripted(*script))
    assert not out.exists()
    return str(error.value)


def test_nobody_stood_still(session: Session, tmp_path: Path) -> None:
    said = problem("no_standing", "Nobody stands still anywhere: stand for two seconds first.", "left")
    unknown = Estimates(angles=(make_angles("left", known=False),), strides=(make_stride(),), notices=(said, said))
    text = refusal(session, tmp_path / "out", unknown)
    assert text == "walk_1 gives no ankle angles: Nobody stands still anywhere: stand for two seconds first."


def test_not_calibrated_without_a_stated_reason_still_says_what_to_do(session: Session, tmp_path: Path) -> None:
    text = refusal(session, tmp_path / "out", Estimates(angles=(make_angles("left", known=False),)))
    assert "stand still" in text


def test_nobody_walked(session: Session, tmp_path: Path) -> None:
    said = Estimates(angles=(make_angles("left"),), notices=(problem("no_walking", "Nobody walks: walk ten steps."),))
    assert "Nobody walks: walk ten steps." in refusal(session, tmp_path / "out", said)


def test_no_leg_with_both_sensors_and_no_strides(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", sites=[BodySite.LEFT_FOOT, BodySite.RIGHT_SHANK])
    assert "walk at least ten steps" in refusal(session, tmp_path / "out", Estimates())


def test_a_guided_test_without_walking_is_a_result(session: Session, tmp_path: Path) -> None:
    result = analyze(session, tmp_path / "out", estimator_factory=scripted(Estimates(angles=(make_angles("left"),))))
    assert result.stride_count == 0
    assert names(tmp_path / "out") == FILES


def test_one_leg_that_failed_does_not_cost_the_other(session: Session, tmp_path: Path) -> None:
    said = problem("no_standing", "The left leg never stood still.", "left")
    half = make_estimates(sides=["right"])
    angles = (*half.angles, make_angles("left", known=False))
    estimates = Estimates(angles=angles, strides=half.strides, notices=(said,))
    result = analyze(session, tmp_path / "out", estimator_factory=scripted(estimates))
    assert len(result.sides["right"].strides) == 15
    assert len(result.sides["left"].strides) == 0
