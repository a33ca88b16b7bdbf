"""One sentence for a package that is not installed."""

from subtalar.errors import SubtalarError


def missing_package(error: ImportError, extra: str) -> SubtalarError:
    """The error to raise when an import of the extra ``extra`` failed."""
    return SubtalarError(
        f"This needs the package {error.name}, which is not installed: run `pip install 'subtalar[{extra}]'`."
    )
