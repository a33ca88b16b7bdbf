"""The part of the page on data quality, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from subtalar.anatomy import PageWords
from subtalar.report.page.content import UNKNOWN, number
from subtalar.report.results import AnalysisResult, SideResult
from subtalar.report.wording import (
    ANKLE_WORDS,
    QUALITY_WORDS,
    WORDS_OF,
    duration,
    grouped,
    quality_words,
    site_words,
)
from subtalar.types import NoticeLevel, Quality

_LEVEL_WORDS: dict[NoticeLevel, str] = {"problem": "Problem", "advice": "Advice", "info": "Note"}


def angle_quality_rows(result: AnalysisResult) -> list[tuple[str, list[str]]]:
    """How much there is and how sure it is, a column a side."""
    sides = list(result.sides.values())
    rows = [
        ("Strides found", [str(len(side.strides)) for side in sides]),
        ("Strides in the means", [str(len(side.used_strides)) for side in sides]),
        ("… of these with complete angles", [str(_complete(side)) for side in sides]),
        (
            "Time with angles",
            [f"{100 * side.coverage.known_ratio:.0f} %" if side.coverage.rows else UNKNOWN for side in sides],
        ),
    ]
    if any(side.has_pair for side in sides):
        for k, words in enumerate(ANKLE_WORDS):
            rows.append(_uncertainty(words, [side.used_sd_deg[k] for side in sides]))
    for group in sorted({side.one_sensor for side in sides if side.one_sensor is not None}):
        for k, words in enumerate(WORDS_OF[group]):
            rows.append(_uncertainty(words, [side.used_further_sd_deg(group)[k] for side in sides]))
    return rows


def _complete(side: SideResult) -> int:
    return len(side.used_waveforms_deg if side.one_sensor is None else side.used_further_deg(side.one_sensor))


def _uncertainty(words: PageWords, sd_deg: Sequence[float]) -> tuple[str, list[str]]:
    cells = [number(sd, 1) for sd in sd_deg]
    return (
        f"{words.name}, uncertainty during strides (°, one standard deviation)",
        [f"±{cell}" if cell != UNKNOWN else cell for cell in cells],
    )


def quality_share_rows(result: AnalysisResult) -> list[tuple[str, list[str]]]:
    """How much of the time is of which quality, a column a side."""
    rows = []
    for quality in Quality:
        counts = [(side.coverage.by_quality.get(quality, 0), side.coverage.rows) for side in result.sides.values()]
        if any(n for n, _ in counts):
            rows.append((QUALITY_WORDS[quality], [_share(n, all_) for n, all_ in counts]))
    return rows


def _share(n: int, of: int) -> str:
    if not of:
        return UNKNOWN
    share = 100 * n / of
    return "under 0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def doubtful_stride_rows(result: AnalysisResult) -> list[tuple[str, list[str]]]:
    """Why strides were marked as doubtful, a column a side."""
    counts = [side.stride_qualities() for side in result.sides.values()]
    labels = sorted({label for count in counts for label in count} - {"ok"})
    return [(quality_words(label), [str(count[label]) for count in counts]) for label in labels]


@dataclass(frozen=True)
class SensorRow:
    """A sensor's line."""

    site: str
    model: str
    rate: str
    samples: str
    lost: str
    remarks: str


def sensor_rows(result: AnalysisResult) -> list[SensorRow]:
    """What came of each sensor's samples."""
    rows = []
    for sensor in result.sensors:
        ledger = sensor.ledger
        remarks = [
            f"{n} {words}"
            for n, words in (
                (ledger.reconnects, "reconnections"),
                (ledger.duplicated, "duplicate samples dropped"),
                (ledger.corrupt_bytes, "damaged bytes skipped"),
                (ledger.clock_jumps, "jumps or restarts of its clock"),
            )
            if n
        ]
        about = "about " if ledger.lost_is_estimated else ""
        rows.append(
            SensorRow(
                site_words(sensor.info.site).capitalize(),
                sensor.info.model or UNKNOWN,
                f"{number(sensor.measured_rate_hz, 1)} of {sensor.info.rate_hz:g}",
                grouped(sensor.samples),
                f"{about}{grouped(ledger.lost)} ({100 * sensor.lost_ratio:.2f} %)"
                if ledger.lost or not ledger.lost_is_estimated
                else "none noticed",
                "; ".join(remarks) or UNKNOWN,
            )
        )
    return rows


@dataclass(frozen=True)
class NoticeRow:
    """A line of what the analysis had to say."""

    level: NoticeLevel
    level_words: str
    where: str
    when: str
    text: str


def notice_rows(result: AnalysisResult) -> list[NoticeRow]:
    """The notices of the estimator, then the notes of the session."""
    rows = [
        NoticeRow(
            tally.level,
            _LEVEL_WORDS[tally.level],
            site_words(tally.site) if tally.site else tally.side or "",
            f"at {duration(tally.first_s)}" + (f", {tally.count} times in all" if tally.count > 1 else ""),
            tally.text,
        )
        for tally in result.notices
    ]
    return rows + [NoticeRow("info", "File", "", "", note) for note in result.notes]
