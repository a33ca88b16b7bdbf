"""``subtalar.simulate``: a walk with known angles, without a sensor and without a download."""

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from subtalar.anatomy import BodySite
from subtalar.api.session import Session, read
from subtalar.errors import InputError, SubtalarError


def simulate(
    duration_s: float = 60.0,
    *,
    style: str = "normal",
    seed: int = 0,
    sensors: Sequence[BodySite | str] = ("left_foot", "left_shank", "right_foot", "right_shank"),
    rate_hz: float = 200.0,
    quality: str = "typical",
    orientation: str = "typical",
) -> Session:
    """A simulated person who stands, bends the knees and walks, as a session; ``session.truth(side)`` knows the angles.

    ``style``: ``normal``, ``overpronated``, ``antalgic``, ``running`` or ``standing``. ``quality`` of the sensors:
    ``perfect``, ``good``, ``typical`` or ``poor``; ``orientation`` in which they are strapped on: ``aligned``,
    ``typical`` or ``any``. Equal arguments give equal numbers. The files lie in a temporary folder that goes with the
    session.

    Raises SubtalarError, in one sentence, for what cannot be simulated, or where the simulator is not installed.
    """
    try:
        from subtalar_sim.body import BodyConfig
        from subtalar_sim.config import SimulationConfig
        from subtalar_sim.session_writer import write_session
    except ImportError as error:
        raise SubtalarError(
            f"This needs the package {error.name}, which is not installed: run `pip install 'subtalar[sim]'`."
        ) from None
    if not 0.0 < duration_s < 86_400.0:
        raise InputError(f"This cannot be simulated: a session of {duration_s:g} s; give seconds, up to a day.")
    folder = Path(tempfile.mkdtemp(prefix="subtalar-"))
    try:
        config = SimulationConfig(
            body=BodyConfig(seed=seed, style=style),
            sites=tuple(str(site) for site in sensors),
            device="ximu3",
            rate_hz=rate_hz,
            quality=quality,
            orientation=orientation,
        )
        path = write_session(config, folder / f"simulated-{style}-{seed}", duration_s)
    except ValueError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(f"This cannot be simulated: {error}.") from None
    session = read(path)
    weakref.finalize(session, shutil.rmtree, folder, ignore_errors=True)
    return session
