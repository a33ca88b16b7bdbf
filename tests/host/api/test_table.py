"""Tables: columns as items and attributes, rows by mask, and other people's frames where they are installed."""

import sys

import numpy as np
import pytest

from subtalar.api.table import Table
from subtalar.errors import SubtalarError

TABLE = Table(
    "walk",
    {
        "time_s": np.array([0.0, 0.5, 1.0]),
        "side": np.array(["left", "right", "left"]),
        "x_deg": np.array([1.0, np.nan, 3]),
    },
)


def test_columns_are_items_and_attributes() -> None:
    assert TABLE.columns == ("time_s", "side", "x_deg")
    assert TABLE.rows == 3
    assert TABLE.x_deg is TABLE["x_deg"]
    assert "x_deg" in TABLE
    assert "x_deg" in dir(TABLE)
    with pytest.raises(KeyError, match="walk has no column 'y': it has time_s, side, x_deg"):
        TABLE["y"]


def test_rows_by_mask_and_by_time() -> None:
    assert TABLE.where(TABLE.side == "left").x_deg.tolist() == [1.0, 3.0]
    assert TABLE.between(0.5, 1.0).side.tolist() == ["right"]
    assert TABLE.where(slice(0, 0)).rows == 0


def test_it_shows_itself() -> None:
    shown = repr(TABLE)
    assert shown.splitlines()[0] == "walk: 3 rows"
    assert "1 … 3  (1 not known)" in shown
    assert "left, right" in shown
    assert "not known" in repr(TABLE.where(slice(1, 2)))


def test_columns_of_one_length() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Table("walk", {"a": np.zeros(2), "b": np.zeros(3)})


def test_pandas() -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = TABLE.to_pandas()
    assert list(frame.columns) == list(TABLE.columns)
    assert frame["side"].tolist() == ["left", "right", "left"]


def test_xarray() -> None:
    pytest.importorskip("xarray", reason="xarray is not installed")
    data = TABLE.to_xarray()
    assert data["x_deg"].dims == ("time_s",)
    np.testing.assert_array_equal(data["time_s"], TABLE.time_s)


@pytest.mark.parametrize(("package", "convert"), [("pandas", Table.to_pandas), ("xarray", Table.to_xarray)])
def test_without_the_package_one_sentence(monkeypatch: pytest.MonkeyPatch, package: str, convert: object) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SubtalarError, match=f"pip install {package}"):
        convert(TABLE)  # type: ignore[operator]
