"""One sensor's faults as a frozen value."""

from dataclasses import dataclass, fields
from functools import cached_property
from math import inf, isfinite
from typing import Final

from subtalar_sim.types import SITES

Span = tuple[float, float]
"""Start and length, in session seconds."""

_SHARES: Final = ("loss", "corrupt", "garbage", "duplicate", "datagram_loss", "reorder")
_LATENESSES: Final = ("delay_s", "jitter_s", "interval_s", "slow_discovery_s", "supervision_s")
# Beyond these a number is a slip of the pen: no session and no outage of a radio is as long, and device times overflow.
_LONGEST_S: Final = 86400.0
_LONGEST_GAP_SAMPLES: Final = 100_000
_FARTHEST_JUMP_S: Final = 1e9


@dataclass(frozen=True)
class FaultPlan:
    """Times are session seconds. Shares lie in 0..1.

    In the sensor: ``loss`` is the share of samples lost, in gaps of ``gap_samples`` on average, as is
    ``gap_rate_per_s`` such gaps a second; everything measured in ``gaps`` is lost as well. ``saturation``: (start,
    length, share of the range that is left). ``slips``: (time, degrees about the segment's long axis). ``moves``:
    (time, the site where the sensor sits from then on). ``clock_jumps``: (time, seconds). ``battery_empty_s``: off
    for good.

    On the link: ``corrupt``, ``garbage``, ``duplicate`` are shares of payloads (notifications, flushes, datagrams)
    with one altered byte, with up to 40 bytes of nonsense in front, and sent twice; ``datagram_loss`` and ``reorder``
    happen on UDP only: a real link neither reorders nor silently drops. In ``stalls`` everything is held back and
    then delivered at once; ``delay_s`` is on everything, plus exponential ``jitter_s``; with ``interval_s`` it then
    waits for the radio's next turn, which comes that often. ``mtu`` is the most that the device agrees to. During
    ``outages`` and ``reboots`` the link is down, and it takes ``slow_discovery_s`` more, and as long at the beginning,
    until the device can be found. ``supervision_s``: so long the other end of a Bluetooth link that broke still takes
    it for one: silence, and no answer. ``refusals``: (time, how many connections from then on).
    """

    gap_rate_per_s: float = 0.0
    gap_samples: float = 5.0
    outages: tuple[Span, ...] = ()
    delay_s: float = 0.0
    jitter_s: float = 0.0
    interval_s: float = 0.0
    loss: float = 0.0
    gaps: tuple[Span, ...] = ()
    corrupt: float = 0.0
    garbage: float = 0.0
    duplicate: float = 0.0
    datagram_loss: float = 0.0
    reorder: float = 0.0
    stalls: tuple[Span, ...] = ()
    mtu: int | None = None
    slow_discovery_s: float = 0.0
    supervision_s: float = 0.0
    refusals: tuple[tuple[float, int], ...] = ()
    clock_jumps: tuple[tuple[float, float], ...] = ()
    reboots: tuple[Span, ...] = ()
    saturation: tuple[tuple[float, float, float], ...] = ()
    battery_empty_s: float = inf
    slips: tuple[tuple[float, float], ...] = ()
    moves: tuple[tuple[float, str], ...] = ()

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            _check_numbers(name, getattr(self, name))
        if self.gap_rate_per_s < 0:
            raise ValueError(f"gap_rate_per_s must not be negative, and is {self.gap_rate_per_s:g}")
        if not 1 <= self.gap_samples <= _LONGEST_GAP_SAMPLES:
            raise ValueError(f"gap_samples lies in 1..{_LONGEST_GAP_SAMPLES}, not {self.gap_samples:g}")
        for name in _LATENESSES:
            if not 0.0 <= getattr(self, name) <= _LONGEST_S:
                word = name.removesuffix("_s")
                raise ValueError(f"{word} is at least 0 s and at most a day, not {getattr(self, name):g} s")
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} is a share of at least 0 and less than 1, not {getattr(self, name):g}")
        if self.mtu is not None and not 23 <= self.mtu <= 517:
            raise ValueError(f"an MTU lies in 23..517, not {self.mtu}")
        if any(not 0.0 < share <= 1.0 for _, _, share in self.saturation):
            raise ValueError("saturate is the share of the range that is left, more than 0 and at most 1")
        if any(n < 1 for _, n in self.refusals):
            raise ValueError("refuse is a number of connections, at least 1")
        for _, by_deg in self.slips:
            if not abs(by_deg) <= 180.0:
                raise ValueError(f"a strap slips by at most 180 degrees either way, not by {by_deg:g}")
        for _, by_s in self.clock_jumps:
            if not abs(by_s) <= _FARTHEST_JUMP_S:
                raise ValueError(f"a clock jumps by at most {_FARTHEST_JUMP_S:.0f} s either way, not by {by_s:g} s")
        for _, site in self.moves:
            if site not in SITES:
                raise ValueError(f"no such sensor site: {site!r}; there are {', '.join(SITES)}")

    def check_transport(self, transport: str) -> None:
        """Raises ValueError if something is planned that cannot happen over ``ble``, ``pty``, ``tcp`` or ``udp``."""
        if self.mtu is not None and transport != "ble":
            raise ValueError(f"an MTU is agreed on over Bluetooth only, not over {transport}")
        if self.supervision_s and transport != "ble":
            raise ValueError(f"a link is supervised over Bluetooth only, not over {transport}")
        if self.refusals and transport not in ("ble", "tcp"):
            raise ValueError(f"a connection can be refused over ble or tcp only: there is none over {transport}")
        if (self.datagram_loss or self.reorder) and transport != "udp":
            raise ValueError(f"only udp loses or reorders datagrams: over {transport} use loss, delay or stall")

    @cached_property
    def off(self) -> tuple[Span, ...]:
        """When the device has no power: it measures nothing."""
        return (*self.reboots, *(((self.battery_empty_s, inf),) if isfinite(self.battery_empty_s) else ()))

    @cached_property
    def downs(self) -> tuple[Span, ...]:
        """When the device cannot be reached, for whatever reason; spans may overlap."""
        slow = self.slow_discovery_s
        down = tuple((start, length + slow) for start, length in (*self.outages, *self.off))
        return ((0.0, slow), *down) if slow else down

    def after_stalls(self, t_s: float) -> float:
        """When something arrives that would arrive at ``t_s``."""
        for start, length in sorted(self.stalls):
            if start <= t_s < start + length:
                t_s = start + length
        return t_s

    def is_down(self, t_s: float) -> bool:
        """Whether the link is out at session time ``t_s``."""
        return within(self.downs, t_s)

    def next_change_s(self, t_s: float) -> float:
        """The next time after ``t_s`` at which anything begins or ends that happens at a time; infinite if none."""
        spans = (*self.downs, *self.off, *((start, 0.0) for start, _ in self.refusals))
        return min((e for start, length in spans for e in (start, start + length) if e > t_s), default=inf)


def within(spans: tuple[Span, ...], t_s: float) -> bool:
    """Whether ``t_s`` lies in any of them."""
    return any(start <= t_s < start + length for start, length in spans)


def _check_numbers(name: str, value: object) -> None:
    """No NaN anywhere, and nothing before the beginning of the session."""
    if isinstance(value, float) and value != value:
        raise ValueError(f"{name} is no number")
    for entry in value if isinstance(value, tuple) else ():
        numbers = [v for v in entry if not isinstance(v, str)]
        if any(v != v for v in numbers[1:]):
            raise ValueError(f"{name}: a value is no number")
        if not entry[0] >= 0.0 or not isfinite(entry[0]):
            raise ValueError(f"{name}: times are seconds from the beginning of the session on, not {entry[0]:g}")
        if name in ("outages", "gaps", "stalls", "reboots", "saturation") and entry[1] <= 0.0:
            raise ValueError(f"{name}: a length is more than 0 s, not {entry[1]:g}")


NO_FAULTS: Final = FaultPlan()
