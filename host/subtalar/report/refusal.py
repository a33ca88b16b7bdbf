"""When an analysis found nothing to report, why."""

from collections.abc import Iterable

from subtalar.errors import InputError
from subtalar.report.results import AnalysisResult

_MOST_REASONS = 3


def raise_if_nothing_measured(result: AnalysisResult) -> None:
    """Raise InputError when the session gave no result, with the estimator's own reasons where it has any.

    Refused are: no angle although a leg carries both sensors; no stride although the estimator calls that a problem;
    neither angle nor stride. Angles without strides (a guided test, say) are a result, and so are those of the segment
    and the strides of a leg with one sensor.
    """
    problems = [tally.text for tally in result.notices if tally.level == "problem"]
    any_angle = any(side.coverage.known for side in result.sides.values())
    any_pair = any(side.has_pair for side in result.sides.values())
    if any_pair and not any_angle:
        default = (
            "the ankle's neutral position was never found: let the person stand still for 5 seconds at the start, "
            "then walk at least ten steps."
        )
        raise InputError(_sentence(result, "gives no ankle angles", problems, default))
    if not result.stride_count and (problems or not any_angle):
        default = (
            "no walking or running was found in it: record at least ten steps in one direction."
            if any_pair
            else "no walking or running was found in it: let the person stand still, then walk at least ten steps."
        )
        raise InputError(_sentence(result, "cannot be reported", problems, default))


def _sentence(result: AnalysisResult, what: str, reasons: Iterable[str], default: str) -> str:
    told = list(dict.fromkeys(reason.strip() for reason in reasons))[:_MOST_REASONS]
    return f"{result.session_name} {what}: {' '.join(told) if told else default}"
