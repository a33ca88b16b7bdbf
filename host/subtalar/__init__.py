"""Ankle angles from two inertial sensors a leg, live and from recordings.

The names below are the Python interface; ``docs/api.md`` describes them. Each is loaded when it is first used, so that
``import subtalar`` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from subtalar.anatomy import BodySite
    from subtalar.api import Analysis, Session, Table, Trial, analyze, export, read, simulate
    from subtalar.errors import SubtalarError
    from subtalar.estimation import GaitEstimator, Parameters
    from subtalar.types import AngleBlock, Estimates, SampleBlock, SensorInfo

__all__ = [
    "Analysis",
    "AngleBlock",
    "BodySite",
    "Estimates",
    "GaitEstimator",
    "Parameters",
    "SampleBlock",
    "SensorInfo",
    "Session",
    "SubtalarError",
    "Table",
    "Trial",
    "__version__",
    "analyze",
    "export",
    "read",
    "simulate",
]

_HOMES = {
    **dict.fromkeys(("Analysis", "Session", "Table", "Trial", "analyze", "export", "read", "simulate"), "api"),
    "BodySite": "anatomy",
    "SubtalarError": "errors",
    **dict.fromkeys(("GaitEstimator", "Parameters"), "estimation"),
    **dict.fromkeys(("AngleBlock", "Estimates", "SampleBlock", "SensorInfo"), "types"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
