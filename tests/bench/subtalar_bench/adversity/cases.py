"""What is made to break, and how the sensors are reached meanwhile."""

from dataclasses import dataclass
from typing import Final, Literal

from subtalar.types import SIDES, BodySite, Side

Kind = Literal["bluetooth service killed", "message bus killed", "unplugged", "rebooted", "out of range"]
Route = Literal["BlueZ", "Bumble", "serial"]
"""BlueZ's D-Bus interface with the sensors in another process; sensors and radio in this one; serial ports."""
EVERY_SITE: Final = tuple(BodySite)


@dataclass(frozen=True)
class Case:
    """``kind`` befalls ``sites`` of four walking sensors of ``device`` and is over ``length_s`` later.

    Times in seconds of the sensors' session: they stand until ``standing_s``, bend their knees and walk from then on.
    """

    name: str
    kind: Kind
    route: Route
    device: str
    sites: tuple[BodySite, ...] = EVERY_SITE
    length_s: float = 5.0
    standing_s: float = 20.0
    at_s: float = 56.0
    after_s: float = 20.0
    rate_hz: float = 200.0

    @property
    def end_s(self) -> float:
        """When the measurement ends."""
        return self.at_s + self.length_s + self.after_s

    @property
    def sides(self) -> tuple[Side, ...]:
        """Legs that it befalls."""
        return tuple(side for side in SIDES if any(site.side == side for site in self.sites))


_ONE: Final = (BodySite.RIGHT_FOOT,)
CASES: Final = (
    Case("bluez", "bluetooth service killed", "BlueZ", "talus"),
    Case("dbus", "message bus killed", "BlueZ", "talus"),
    Case("unplugged", "unplugged", "serial", "ximu3", _ONE),
    Case("reboot", "rebooted", "BlueZ", "talus", _ONE, 3.0),
    Case("range", "out of range", "BlueZ", "talus", length_s=60.0),
    Case("range-bumble", "out of range", "Bumble", "talus", length_s=60.0),
)
"""By name; every one is at 200 Hz, on sensors whose losses can be counted."""
