"""A table in memory: named columns of equal length, as NumPy arrays."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from subtalar.errors import SubtalarError

if TYPE_CHECKING:
    import pandas
    import xarray

Column = npt.NDArray[Any]


class Table(Mapping[str, Column]):
    """Columns by name, in order; the unit is the end of the name. NaN where a value is not known.

    A column is an item and an attribute: ``table["inversion_deg"]``, ``table.inversion_deg``. Columns are not to be
    written to. ``rows`` counts rows, ``len`` columns, as in any mapping.

    Raises ValueError where columns differ in length.
    """

    def __init__(self, name: str, columns: Mapping[str, Column]) -> None:
        self.name = name
        self._columns = {key: np.asarray(values) for key, values in columns.items()}
        lengths = {len(values) for values in self._columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of {name} differ in length: {sorted(lengths)}")
        self.rows = lengths.pop() if lengths else 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(self._columns)

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise KeyError(f"{self.name} has no column {name!r}: it has {', '.join(self._columns)}") from None

    def __getattr__(self, name: str) -> Column:
        if name.startswith("_") or name not in self._columns:
            raise AttributeError(f"{self.name} has no column {name!r}: it has {', '.join(self.__dict__['_columns'])}")
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._columns]

    def __repr__(self) -> str:
        width = max(map(len, self._columns), default=0)
        lines = [f"  {key:<{width}}  {_range(values)}" for key, values in self._columns.items()]
        return "\n".join([f"{self.name}: {self.rows} rows", *lines])

    def where(self, rows: npt.NDArray[np.bool_] | slice) -> "Table":
        """Only these rows: a mask (n,) or a slice."""
        return Table(self.name, {key: values[rows] for key, values in self._columns.items()})

    def between(self, start_s: float, end_s: float) -> "Table":
        """The rows from ``start_s`` on and before ``end_s``. Raises KeyError where there is no ``time_s``."""
        time_s = self["time_s"]
        return self.where((time_s >= start_s) & (time_s < end_s))

    def to_pandas(self) -> "pandas.DataFrame":
        """A DataFrame with the same columns. Raises SubtalarError where pandas is not installed."""
        try:
            import pandas
        except ImportError:
            raise _not_installed("pandas") from None
        return pandas.DataFrame(dict(self._columns))

    def to_xarray(self) -> "xarray.Dataset":
        """A Dataset with a variable a column; the dimension is ``time_s`` where there is such a column, else ``row``.

        Raises SubtalarError where xarray is not installed.
        """
        try:
            import xarray
        except ImportError:
            raise _not_installed("xarray") from None
        by = "time_s" if "time_s" in self._columns else "row"
        variables = {key: (by, values) for key, values in self._columns.items() if key != by}
        return xarray.Dataset(variables, coords={by: self._columns.get(by, np.arange(self.rows))})


def _range(values: Column) -> str:
    """Least and largest value that is known, or the words."""
    if values.dtype.kind == "U":
        words = np.unique(values)
        return ", ".join(words[:4].tolist()) + (", …" if len(words) > 4 else "")
    known = values[np.isfinite(values)]
    if not len(known):
        return "not known"
    unknown = "" if len(known) == len(values) else f"  ({len(values) - len(known)} not known)"
    return f"{known.min():.6g} … {known.max():.6g}{unknown}"


def _not_installed(package: str) -> SubtalarError:
    return SubtalarError(f"This needs the package {package}, which is not installed: run `pip install {package}`.")
