"""The state of a sensor in words."""

from dataclasses import dataclass

from subtalar.dashboard.places.live.instruction import MANY_LOST_RATIO
from subtalar.dashboard.wording import LINK_WORDS, Severity, ledger_words, lost_share, site_words
from subtalar.types import SensorStatus


@dataclass(frozen=True)
class SensorRow:
    """One sensor in words; ``severity`` is the colour that goes with ``link``. ``lost_in_short`` is for where there is
    little room.
    """

    name: str
    link: str
    severity: Severity
    rate: str
    battery: str
    battery_low: bool
    lost: str
    lost_in_short: str
    lost_many: bool
    details: str


def sensor_row(status: SensorStatus, live: bool = True) -> SensorRow:
    """A sensor's state in words; when the session is not ``live`` any more, nothing streams."""
    link, severity = LINK_WORDS[status.link if live else "ended"]
    ledger, battery = status.ledger, status.battery_percent
    share = lost_share(ledger)
    counted = ledger.received + ledger.lost > 0 and severity != "problem"  # what is missing now is counted afterwards
    about = "≈ " if ledger.lost_is_estimated else ""
    in_short = f"{about}{100 * share:.{1 if share >= 0.01 else 2}f} %" if share else f"{about}0 %"
    in_full = f"{about}{100 * share:.2f} % ({ledger.lost:,})".replace(",", " ")
    return SensorRow(
        name=site_words(status.info.site),
        link=link,
        severity=severity,
        rate="–" if status.rate_hz is None or not live else f"{status.rate_hz:.0f} Hz",
        battery="–" if battery is None else f"{battery:.0f} %",
        battery_low=battery is not None and battery <= 20,
        lost="–" if not counted else in_short if about and not share else in_full,
        lost_in_short=in_short if counted else "–",
        lost_many=share >= MANY_LOST_RATIO and counted,
        details=ledger_words(ledger),
    )
