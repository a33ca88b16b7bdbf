"""Faults written down: ``loss=0.02, drop_link@30s+5s`` on one line, or one a line with ``#`` comments.

A fault is ``word``, then ``@time`` (``+length``) if it happens at a time, then ``=value`` if it has one; in front
``left_foot:`` if it, and what follows in its line, befalls one sensor only. Times are ``30s``, ``500ms``, ``2min``, or
a number of seconds.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

from subtalar_sim.faults.plan import NO_FAULTS, FaultPlan
from subtalar_sim.types import SITES

_ITEM: Final = re.compile(
    r"(?:(?P<site>[a-z_]+)\s*:\s*)?(?P<word>[a-z_]+)"
    r"(?:\s*@\s*(?P<at>[^+=\s]+)(?:\s*\+\s*(?P<length>[^=\s]+))?)?(?:\s*=\s*(?P<value>\S+))?"
)
_LONGEST_SHOWN: Final = 60
_UNITS: Final = {"": 1.0, "s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}
Use = Literal["never", "may", "must"]


@dataclass(frozen=True)
class FaultScript:
    """Faults of all sensors, and of single ones, which have those of all as well."""

    everywhere: FaultPlan = NO_FAULTS
    of: tuple[tuple[str, FaultPlan], ...] = ()


@dataclass(frozen=True)
class _Word:
    """How a fault is written: ``example`` for the error message; ``make`` gets time, length and value."""

    field: str
    example: str
    make: Callable[[float, float, str], Any]
    at: Use = "never"
    length: Use = "never"
    value: Use = "must"
    default_length_s: float = 0.0


def _number(text: str) -> float:
    share = text.endswith("%")
    return float(text.removesuffix("%")) * (0.01 if share else 1.0)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"([+-]?\d*\.?\d+(?:e[+-]?\d+)?)(s|ms|min|h|)", text)
    if match is None:
        raise ValueError(f"{text!r} is no time such as 30s, 500ms or 2min")
    return float(match[1]) * _UNITS[match[2]]


def _degrees(text: str) -> float:
    return float(text.removesuffix("deg"))


def _share(example: str, field: str) -> _Word:
    return _Word(field, example, lambda _t, _l, v: _number(v))


_FOR_EVER_S: Final = 1e9
_WORDS: Final[dict[str, _Word]] = {
    "loss": _share("loss=0.02", "loss"),
    "gap_samples": _Word("gap_samples", "gap_samples=3", lambda _t, _l, v: float(v)),
    "gap": _Word("gaps", "gap@30s+0.5s", lambda t, n, _v: (t, n), "must", "must", "never"),
    "corrupt": _share("corrupt=0.01", "corrupt"),
    "garbage": _share("garbage=0.01", "garbage"),
    "duplicate": _share("duplicate=0.01", "duplicate"),
    "datagram_loss": _share("datagram_loss=0.01", "datagram_loss"),
    "reorder": _share("reorder=0.01", "reorder"),
    "interval": _Word("interval_s", "interval=30ms", lambda _t, _l, v: _seconds(v)),
    "stall": _Word("stalls", "stall@30s+1s", lambda t, n, _v: (t, n), "must", "must", "never"),
    "delay": _Word("delay_s", "delay=50ms", lambda _t, _l, v: _seconds(v)),
    "jitter": _Word("jitter_s", "jitter=20ms", lambda _t, _l, v: _seconds(v)),
    "mtu": _Word("mtu", "mtu=23", lambda _t, _l, v: int(v)),
    "slow_discovery": _Word("slow_discovery_s", "slow_discovery=3s", lambda _t, _l, v: _seconds(v)),
    "supervision": _Word("supervision_s", "supervision=4s", lambda _t, _l, v: _seconds(v)),
    "refuse": _Word("refusals", "refuse=2 or refuse@30s=2", lambda t, _l, v: (t, int(v)), "may"),
    "drop_link": _Word("outages", "drop_link@30s+5s", lambda t, n, _v: (t, n), "must", "must", "never"),
    "clock_jump": _Word("clock_jumps", "clock_jump@30s=10s", lambda t, _l, v: (t, _seconds(v)), "must"),
    "reboot": _Word("reboots", "reboot@30s+1.5s", lambda t, n, _v: (t, n), "must", "may", "never", 1.5),
    "saturate": _Word(
        "saturation",
        "saturate=0.25 or saturate@30s+5s=0.25",
        lambda t, n, v: (t, n, _number(v)),
        *("may", "may", "must", _FOR_EVER_S),
    ),
    "battery_empty": _Word("battery_empty_s", "battery_empty@120s", lambda t, _l, _v: t, "must", "never", "never"),
    "slip": _Word("slips", "slip@60s=15deg", lambda t, _l, v: (t, _degrees(v)), "must"),
    "swap": _Word(
        "moves", "swap=right_foot/right_shank or swap@60s=right_foot/right_shank", lambda t, _l, v: (t, v), "may"
    ),
}
_LISTS: Final = frozenset(f.name for f in fields(FaultPlan) if f.default == ())


def fault_words() -> dict[str, str]:
    """Every word with an example."""
    return {word: how.example for word, how in _WORDS.items()}


def names_a_fault(text: str) -> bool:
    """Whether anything is left of a script without its comments."""
    return any(line.partition("#")[0].replace(",", " ").strip() for line in text.splitlines())


def shown(item: str, longest: int = _LONGEST_SHOWN) -> str:
    """As it stands in a sentence: what is no script at all can be a single line of any length."""
    return repr(item if len(item) <= longest else f"{item[:longest]}…")


def _items(text: str) -> Iterator[tuple[str, str]]:
    """Each fault with the place that was named before it in its line."""
    for line in text.splitlines():
        place = ""
        for item in filter(None, (part.strip() for part in line.partition("#")[0].split(","))):
            yield item, place
            named, colon, _ = item.partition(":")
            place = named.strip() if colon else place


def parse_faults(text: str) -> FaultScript:
    """Read a script. Raises ValueError with one sentence on the first thing that makes no sense."""
    everywhere, of = NO_FAULTS, dict[str, FaultPlan]()
    single: list[tuple[str, str, Any, str]] = []
    seen: set[tuple[str, str]] = set()
    for item, place in _items(text):
        site, word, at_s, value = _read(item)
        if word.field != "moves":  # which names two places itself
            site = site or place
        if word.field not in _LISTS and (site, word.field) in seen:
            raise ValueError(f"the fault {shown(item)} is given twice")
        seen.add((site, word.field))
        if word.field == "moves":
            single += [(a, "moves", (at_s, b), item) for a, b in _swapped(item, site, value[1])]
        elif site:
            single.append((site, word.field, value, item))
        else:
            everywhere = _with(everywhere, word.field, value, item)
    for site, name, value, item in single:
        of[site] = _with(of.get(site, everywhere), name, value, item)
    return FaultScript(everywhere, tuple(of.items()))


def _read(item: str) -> tuple[str, _Word, float, Any]:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"the fault {shown(item)} is not understood: write it as in drop_link@30s+5s or loss=0.02")
    site, name = match["site"] or "", match["word"]
    if site and site not in SITES:
        raise ValueError(f"the fault {shown(item)} names no sensor site: there are {', '.join(SITES)}")
    if name not in _WORDS:
        raise ValueError(f"there is no fault {shown(name)}: there are {', '.join(_WORDS)}")
    word = _WORDS[name]
    for use, given in ((word.at, match["at"]), (word.length, match["length"]), (word.value, match["value"])):
        if (use == "must") != (given is not None) and use != "may":
            raise ValueError(f"the fault {shown(item)} is written as {word.example}")
    try:
        at_s = _seconds(match["at"]) if match["at"] else 0.0
        length_s = _seconds(match["length"]) if match["length"] else word.default_length_s
        return site, word, at_s, word.make(at_s, length_s, match["value"] or "")
    except ValueError:
        raise ValueError(f"the fault {shown(item)} is written as {word.example}") from None


def _swapped(item: str, site: str, pair: str) -> tuple[tuple[str, str], tuple[str, str]]:
    a, _, b = pair.partition("/")
    if site or a not in SITES or b not in SITES or a == b:
        raise ValueError(
            f"the fault {shown(item)} needs two different sites of {', '.join(SITES)}: {_WORDS['swap'].example}"
        )
    return (a, b), (b, a)


def _with(plan: FaultPlan, name: str, value: Any, item: str) -> FaultPlan:
    value = (*getattr(plan, name), value) if name in _LISTS else value
    try:
        return replace(plan, **{name: value})
    except ValueError as error:
        raise ValueError(f"the fault {shown(item)} makes no sense: {error}") from None
