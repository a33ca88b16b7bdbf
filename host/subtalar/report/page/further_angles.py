"""What the page says of the further angles: about the subtalar axis, and of foot and shank to the floor."""

from collections.abc import Sequence

from subtalar.anatomy import AngleGroup
from subtalar.report.measures import Curves, curves, spread
from subtalar.report.page.content import number
from subtalar.report.page.figures import Panel
from subtalar.report.results import AnalysisResult
from subtalar.report.wording import WORDS_OF, joined
from subtalar.types import Side


def panels(result: AnalysisResult, groups: Sequence[AngleGroup]) -> list[Panel]:
    """A panel for each angle of the groups that is known on a side."""
    found: list[Panel] = []
    for group in groups:
        sides: dict[Side, Curves] = {}
        for side, leg in result.sides.items():
            curve = curves(leg.used_further_deg(group))
            if curve is not None:
                sides[side] = curve
        if sides:
            words = WORDS_OF[group]
            found += [(each, {side: (curve, k) for side, curve in sides.items()}) for k, each in enumerate(words)]
    return found


def panels_alt(shown: Sequence[Panel]) -> str:
    """The picture in words."""
    parts = [
        f"{words.name}, {side}: from {number(curve.mean_deg[:, k].min(), 0)}° to "
        f"{number(curve.mean_deg[:, k].max(), 0)}°"
        for words, sides in shown
        for side, (curve, k) in sides.items()
    ]
    return f"Mean over the gait cycle with one standard deviation. {'; '.join(parts)}."


def pronation_words(result: AnalysisResult) -> str:
    """What the curve about the subtalar axis is, and its main figures."""
    inclination, deviation = result.subtalar_axis_deg
    sentences = [
        "Pronation is one turn in three planes: eversion, dorsiflexion and abduction together. Here it is told about "
        f"the axis of the subtalar joint, taken to rise by {number(inclination, 0)}° and point {number(deviation, 0)}° "
        "inwards from the foot’s long axis"
        + (" (mean of adult feet, Inman 1976)." if (inclination, deviation) == (42.0, 23.0) else " (set by the user).")
    ]
    peaks, left_over = [], []
    for side, leg in result.sides.items():
        peak = spread([stride.peak_subtalar_pronation_deg for stride in leg.used_strides])
        excursion = spread([stride.subtalar_pronation_excursion_deg for stride in leg.used_strides])
        unexplained = spread([stride.subtalar_unexplained_deg for stride in leg.used_strides])
        if peak.n:
            peaks.append(f"{number(peak.mean, 1)}° on the {side}, {number(excursion.mean, 1)}° from contact")
            left_over.append(f"{number(unexplained.mean, 1)}° on the {side}")
    if peaks:
        sentences.append(f"In stance it peaks at {joined(peaks)}.")
        sentences.append(
            f"Two hinges, ankle and subtalar joint, leave {joined(left_over)} of the measured rotation unexplained "
            "(root mean square in stance): the person’s own axis may lie elsewhere, and the rest of the foot moves."
        )
    return " ".join(sentences)


def segments_measured(result: AnalysisResult) -> str:
    """``Foot and shank``, ``Foot`` or ``Shank``: what any leg carries a sensor on."""
    only = {leg.one_sensor for leg in result.sides.values()}
    if len(only) == 1 and (segment := only.pop()) is not None:
        return segment.capitalize()
    return "Foot and shank"


def segment_words(result: AnalysisResult) -> str:
    """What the angles to the floor are, and what a leg with one sensor does not show."""
    what = segments_measured(result)
    sentences = [
        "How foot and shank stand to the floor, whatever the other does."
        if what == "Foot and shank"
        else f"How the {what.lower()} stands to the floor.",
        "Zero is quiet standing." if what == "Shank" else
        "Zero is quiet standing, or the flat foot in mid-stance where nobody stood still.",
    ]  # fmt: skip
    for side, leg in result.sides.items():
        if leg.one_sensor == "foot":
            sentences.append(
                f"The {side} leg carried a sensor on the foot only: foot, steps and stride length are measured; the "
                "angles of the ankle and the shock at the shank are not."
            )
        elif leg.one_sensor == "shank":
            sentences.append(
                f"The {side} leg carried a sensor on the shank only: its inclination is measured, and steps are told "
                "from how fast it swings, less exactly than from the foot; the angles of the ankle, stride length and "
                "the foot’s angles are not."
            )
    return " ".join(sentences)
