"""What a recording says of how its angles came about: enough to know why another analysis differs."""

import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from subtalar import __version__
from subtalar.estimation import Parameters

LIBRARIES: Final = ("numpy", "scipy", "numba", "vqf")
"""Those that compute: another version of one may change a last bit."""


def describe(source_text: str, parameters: Parameters) -> dict[str, Any]:
    """Software versions, where the samples came from, and every constant of the estimator; all JSON."""
    return {
        "subtalar": __version__,
        "source": source_text,
        "subtalar_axis": asdict(parameters.subtalar_axis),
        "parameters": asdict(parameters),
        "software": software(),
    }


def software() -> dict[str, str]:
    """Versions of what computes here."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = ""
    return found
