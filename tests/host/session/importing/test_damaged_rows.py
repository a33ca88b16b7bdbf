"""A second header row, a few rows that cannot be read: the rest of the table is read, and what was left out is told."""

import json

import numpy as np
import pytest

from subtalar.session import open_session
from subtalar.types import BodySite

FOOT = BodySite.RIGHT_FOOT
RATE_HZ = 100


def cells_of(made, seconds=8.0):
    values = made.motion(seconds=seconds, rate_hz=RATE_HZ)
    return [[f"{10 * k}", *(f"{v:.6f}" for v in row)] for k, row in enumerate(values)]


def text_of(cells, *, above="", end="\n"):
    return "t,ax,ay,az,gx,gy,gz\n" + above + "\n".join(",".join(row) for row in cells) + end


def mapping(*, time=None, acc_unit="m/s2", gyr_unit="rad/s", **more):
    def unit(value):
        return {} if value is None else {"unit": value}

    return json.dumps(
        {
            "format": "subtalar-described-csv",
            "version": 1,
            "sensors": {
                "right_foot": {
                    "file": "right_foot.csv",
                    "time": {"column": "t", **unit(time)},
                    "acc": {"columns": ["ax", "ay", "az"], **unit(acc_unit)},
                    "gyr": {"columns": ["gx", "gy", "gz"], **unit(gyr_unit)},
                    **more,
                }
            },
        }
    )


UNITS = '"ms","m/s^2","m/s^2","m/s^2","rad/s","rad/s","rad/s"\n'


@pytest.mark.parametrize("units", [UNITS, UNITS.replace('"', ""), "[ms],[g],,,(dps),,\n", "\n" + UNITS])
def test_a_row_of_units_is_skipped(export, made, units):
    session = open_session(
        export({"right_foot.csv": text_of(cells_of(made), above=units), "import.json": mapping(time="ms")})
    )
    assert session.ledger[FOOT].received == 800
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 1:], made.motion(rate_hz=RATE_HZ), atol=1e-6)


@pytest.mark.parametrize("units", [UNITS, "[ms],[m/s²],[m/s²],[m/s²],(rad/s),(rad/s),(rad/s)\n"])
def test_units_that_only_the_table_tells_are_used(export, made, units):
    files = {"right_foot.csv": text_of(cells_of(made), above=units)}
    session = open_session(export({**files, "import.json": mapping(acc_unit=None, gyr_unit=None)}))
    assert session.duration_s == pytest.approx(7.99)
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 1:], made.motion(rate_hz=RATE_HZ), atol=1e-6)


@pytest.mark.parametrize(
    "units", ["", "ms,furlong,m/s2,m/s2,rad/s,rad/s,rad/s\n", "ms,g,m/s2,m/s2,rad/s,rad/s,rad/s\n"]
)
def test_units_that_nothing_tells_are_asked_for(export, made, units):
    files = {"right_foot.csv": text_of(cells_of(made), above=units), "import.json": mapping(time="ms", acc_unit=None)}
    assert 'the unit of "acc" must be one of' in made.refusal(export(files))


def test_a_first_row_of_empty_values_is_no_row_of_units(export, made):
    cells = cells_of(made)
    cells[0][1:] = ["NaN"] * 6
    session = open_session(export({"right_foot.csv": text_of(cells), "import.json": mapping(time="ms")}))
    assert "1 of 800 rows of right_foot.csv is unreadable and was left out." in session.notes


def test_unreadable_rows_of_every_kind_together(export, made):
    cells = cells_of(made)
    cells[100][3] = ""
    cells[200] = cells[200][:4]
    cells[300] = ["#", "logger", "restarted"]
    text = text_of(cells, end="")
    text = text[: text.rindex(",")]
    session = open_session(export({"right_foot.csv": text, "import.json": mapping(time="ms")}))
    assert "4 of 800 rows of right_foot.csv are unreadable and were left out." in session.notes
    assert session.ledger[FOOT].received == 796
    assert session.ledger[FOOT].lost == 3  # the last one is behind the end
    np.testing.assert_allclose(made.gather(session, FOOT)[100, 0], 1.01)


def test_without_a_time_an_unreadable_row_keeps_its_place(export, made):
    cells = cells_of(made)
    cells[100][3] = "?"
    spec = json.loads(mapping(rate_hz=RATE_HZ))
    del spec["sensors"]["right_foot"]["time"]
    session = open_session(export({"right_foot.csv": text_of(cells), "import.json": json.dumps(spec)}))
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], np.delete(np.arange(800), 100) / RATE_HZ)


def test_more_than_a_twentieth_is_refused(export, made):
    cells = cells_of(made)
    for k in range(41):
        cells[50 + 3 * k][2] = "error"
    found = made.refusal(export({"right_foot.csv": text_of(cells), "import.json": mapping(time="ms")}))
    assert "right_foot.csv, line 52, column ay: error is not a number (the first of 41 unreadable rows of 800)" in found


def test_formats_that_are_known_leave_rows_out_too(export, made):
    dot = made.dot_app(made.motion(), tag="Right foot").splitlines(keepends=True)
    dot[100] = dot[100].rsplit(",", 2)[0] + ",,\n"
    session = open_session(export({"right foot.csv": "".join(dot)}))
    assert "1 of 480 rows of right foot.csv is unreadable and was left out." in session.notes
    ximu3 = made.ximu3(made.motion(rate_hz=50)).splitlines(keepends=True)
    ximu3[100] = ximu3[100][:20] + "\n"
    session = open_session(export({"Right Foot/Inertial.csv": "".join(ximu3)}, name="other"))
    assert "1 of 400 rows of Right Foot/Inertial.csv is unreadable and was left out." in session.notes
