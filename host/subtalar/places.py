"""Where this system keeps a user's documents, a program's settings, its data and what it can make again."""

from collections.abc import Callable
from pathlib import Path

from subtalar.errors import InputError

_NAME = "subtalar"


def settings_folder() -> Path:
    """Of small files that the user has said. It need not exist. Raises InputError where there is no home."""
    from platformdirs import user_config_path

    return _found(lambda: user_config_path(_NAME, appauthor=False, roaming=True), "the settings")


def cache_folder() -> Path:
    """Of what may be deleted at any time. It need not exist. Raises InputError where there is no home."""
    from platformdirs import user_cache_path

    return _found(lambda: user_cache_path(_NAME, appauthor=False), "what is kept for later")


def data_folder() -> Path:
    """What a program keeps for its user out of sight. Need not exist. Raises InputError where there is no home."""
    from platformdirs import user_data_path

    return _found(lambda: user_data_path(_NAME, appauthor=False), "the data")


def documents_folder() -> Path:
    """The user's documents, in any language. Need not exist: a server has none. Raises InputError without a home."""
    from platformdirs import user_documents_path

    return _found(user_documents_path, "documents")


def _found(where: Callable[[], Path], what: str) -> Path:
    # Without a home some versions of platformdirs raise, and some give a relative path.
    try:
        folder = where()
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise InputError(f"This computer does not say where {what} of its user belong: set HOME to a folder of yours.")
    return folder
