"""A strict reader of OpenSim's tables, written from the format's description: OpenSim itself is 200 MB."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class StoTable:
    header: dict[str, str]
    labels: list[str]
    time_s: np.ndarray
    values: np.ndarray
    """(n, columns, 4) for quaternions, (n, columns) for numbers."""


def read_sto(path: Path) -> StoTable:
    """As TimeSeriesTable reads it: key=value lines, endheader, labels with tabs between, time ascending."""
    lines = path.read_text("utf-8").split("\n")
    assert lines.pop() == ""
    end = lines.index("endheader")
    header = dict(line.split("=", 1) for line in lines[:end])
    assert header["version"] == "3"
    assert float(header["DataRate"]) > 0
    first, *labels = lines[end + 1].split("\t")
    assert first == "time"
    assert len(set(labels)) == len(labels)
    rows = [line.split("\t") for line in lines[end + 2 :]]
    assert {len(row) for row in rows} <= {1 + len(labels)}
    time_s = np.array([float(row[0]) for row in rows])
    assert (np.diff(time_s) > 0).all()
    if header["DataType"] == "Quaternion":
        values = np.array([[[float(v) for v in cell.split(",")] for cell in row[1:]] for row in rows])
        assert values.shape[2] == 4
        np.testing.assert_allclose(np.linalg.norm(values, axis=2), 1.0, atol=1e-9)
    else:
        assert header["DataType"] == "double"
        assert int(header["nRows"]) == len(rows)
        assert int(header["nColumns"]) == 1 + len(labels)
        values = np.array([[float(v) for v in row[1:]] for row in rows])
    assert np.isfinite(values).all()
    return StoTable(header, labels, time_s, values)
