"""One angle at this moment, as it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One angle now. ``value_deg`` is None unless it is known *and* fresh; ``note`` says why not, or what to doubt."""

    value_deg: float | None
    sd_deg: float | None
    note: str = ""
