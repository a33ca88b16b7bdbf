"""A table of any program, described by import.toml or import.json."""

import json

import numpy as np
import pytest

from subtalar.session import open_session, session_info, verify
from subtalar.types import BodySite

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK

MAPPING = """
format = "subtalar-described-csv"
version = 1

[defaults]
delimiter = ";"
decimal = ","
skip_lines = 2
time = { column = "Zeit (ms)", unit = "ms" }
acc = { columns = ["ax", "ay", "az"], unit = "mg" }
gyr = { columns = ["gx", "gy", "gz"], unit = "deg/s" }

[sensors.right_foot]
file = "Fuß rechts.csv"
model = "Eigenbau"

[sensors.right_shank]
file = "Unterschenkel rechts.csv"
acc_range_m_s2 = 156.9
"""


def german(made, seed=1, start_ms=5000.0):
    values = made.motion(rate_hz=100, seed=seed) / np.repeat([made.GRAVITY / 1000, made.DEG], 3)
    lines = ["Gemessen am 3.5.2026;;", "", "ax;ay;az;gx;gy;gz;Zeit (ms);Bemerkung"]
    for k, row in enumerate(values):
        cells = [f"{v:.6f}" for v in (*row, start_ms + 10.0 * k)]
        lines.append(";".join(cells).replace(".", ",") + ";")
    return "\r\n".join(lines) + "\r\n"


@pytest.fixture
def folder(export, made):
    def write(mapping=MAPPING, name="import.toml", **more):
        tables = {
            "Fuß rechts.csv": german(made),
            "Unterschenkel rechts.csv": german(made, seed=2, start_ms=5500.0).encode("utf-16"),
        }
        return export({**tables, name: mapping, **more}, name="Patientin Łucja")

    return write


def changed(**top):
    """The mapping as JSON with some keys changed; None takes one out."""
    import tomllib

    spec = tomllib.loads(MAPPING)
    for path, value in top.items():
        *inner, last = path.split("__")
        at = spec
        for key in inner:
            at = at[key]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return json.dumps(spec)


def test_semicolons_and_decimal_commas(folder, made):
    session = open_session(folder())
    assert session.kind == "described_csv"
    foot = made.gather(session, FOOT)
    np.testing.assert_allclose(foot[:, 1:], made.motion(rate_hz=100), atol=1e-7)
    np.testing.assert_allclose(foot[:, 0], np.arange(800) / 100, atol=1e-9)
    assert made.gather(session, SHANK)[0, 0] == pytest.approx(0.5)
    assert session.sensors[FOOT].rate_hz == 100.0
    assert session.sensors[FOOT].model == "Eigenbau"
    assert session.sensors[SHANK].acc_range_m_s2 == 156.9
    assert len(session.files) == 2


def test_json_says_the_same_and_any_name_will_do(folder, made):
    where = folder(changed(), name="Zuordnung (neu).json")
    session = open_session(where / "Zuordnung (neu).json")
    np.testing.assert_array_equal(made.gather(session, FOOT), made.gather(open_session(folder()), FOOT))
    assert session_info(where / "Zuordnung (neu).json")["kind"] == "described_csv"
    assert verify(where / "Zuordnung (neu).json").status == "ok"


def test_all_sensors_in_one_table_without_header_or_time(export, made):
    both = np.hstack([made.motion(rate_hz=100, seed=s) for s in (1, 2)])
    text = "".join("\t".join(f"{v:.9f}" for v in row) + "\n" for row in both)
    mapping = """
format = "subtalar-described-csv"
version = 1
[defaults]
file = "alle.tsv"
delimiter = "tab"
header = false
rate_hz = 100
[sensors.right_foot]
acc = { columns = [1, 2, 3], unit = "m/s2" }
gyr = { columns = [4, 5, 6], unit = "rad/s" }
[sensors.right_shank]
acc = { columns = [7, 8, 9], unit = "m/s2" }
gyr = { columns = [10, 11, 12], unit = "rad/s" }
"""
    session = open_session(export({"alle.tsv": text, "import.toml": mapping}))
    np.testing.assert_allclose(made.gather(session, SHANK)[:, 1:], made.motion(rate_hz=100, seed=2), atol=1e-8)
    np.testing.assert_allclose(made.gather(session, SHANK)[:, 0], np.arange(800) / 100)
    assert sum("cannot be seen" in note for note in session.notes) == 2


def test_a_packet_counter_that_wraps(export, made):
    count = (np.arange(800) + 65_200) % 65_536
    rows = np.column_stack((count, made.motion(rate_hz=100)))[[k for k in range(800) if k not in (500, 501)]]
    text = "n,ax,ay,az,gx,gy,gz\n" + "".join(",".join(f"{v:.9f}" for v in row) + "\n" for row in rows)
    mapping = json.dumps(
        {
            "format": "subtalar-described-csv",
            "version": 1,
            "sensors": {
                "left_foot": {
                    "file": "a.csv",
                    "rate_hz": 100,
                    "time": {"column": "n", "unit": "samples", "wraps_at": 65536},
                    "acc": {"columns": ["ax", "ay", "az"], "unit": "m/s2"},
                    "gyr": {"columns": ["gx", "gy", "gz"], "unit": "rad/s"},
                }
            },
        }
    )
    session = open_session(export({"a.csv": text, "import.json": mapping}))
    assert session.ledger[BodySite.LEFT_FOOT].lost == 2
    assert session.duration_s == pytest.approx(7.99)


def test_arrivals_and_a_sensor_clock(folder, made):
    arrival = {"column": "Zeit (ms)", "unit": "ms"}
    session = open_session(
        folder(changed(defaults__arrival=arrival, defaults__time=None, defaults__rate_hz=100), "import.json")
    )
    block = next(iter(session.blocks()))
    assert block.device_time_s is None
    assert session.ledger[FOOT].lost_is_estimated


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_a_time_in_another_unit_is_questioned(folder, made, unit):
    time = {"column": "Zeit (ms)", "unit": unit}
    assert "is no rate of such a sensor" in made.refusal(folder(changed(defaults__time=time), "import.json"))


@pytest.mark.parametrize(
    ("key", "unit", "words"),
    [
        ("acc", "m/s2", 'is it in milli-g? Then write unit = "mg" for acc'),
        ("acc", "g", 'is it in milli-g? Then write unit = "mg" for acc'),
        ("gyr", "rad/s", 'is it in deg/s? Then write unit = "deg/s" for gyr'),
        ("gyr", "mdeg/s", 'Then write unit = "deg/s" for gyr'),
    ],
)
def test_units_that_cannot_be(folder, made, key, unit, words):
    columns = {"acc": ["ax", "ay", "az"], "gyr": ["gx", "gy", "gz"]}[key]
    value = {"columns": columns, "unit": unit}
    assert words in made.refusal(folder(changed(**{f"defaults__{key}": value}), "import.json"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "x"}, "does not describe tables"),
        ({"version": "1"}, '"version" must be 1'),
        ({"version": 2}, "update subtalar"),
        ({"clocks": "x"}, '"clocks" must be'),
        ({"sensors": {}}, "neither a foot nor a shank"),
        ({"sensors": []}, '"sensors" must hold'),
        ({"sensors": {"foot": {}}}, 'unknown sensor "foot"'),
        ({"sensors__right_foot": 3}, "must be a table of keys"),
        ({"defaults": 3}, '"defaults" must be'),
        ({"defaults__colour": "red"}, 'unknown key "colour"'),
        ({"sensors__right_foot__file": "weg.csv"}, "there is no file weg.csv"),
        ({"sensors__right_foot__file": None}, '"file" must be a text'),
        ({"sensors__right_foot__file": "a\0b"}, '"file" must be a text'),
        ({"defaults__delimiter": "space"}, "delimiter must be"),
        ({"defaults__delimiter": ","}, "another sign than the delimiter"),
        ({"defaults__decimal": "."}, "is not a number"),
        ({"defaults__skip_lines": -1}, "skip_lines must be"),
        ({"defaults__skip_lines": 9999}, "no table after the 9999 lines"),
        ({"defaults__skip_lines": 0}, "has no column ax"),
        ({"defaults__header": 1}, "header must be true or false"),
        ({"defaults__acc": None}, '"acc" is missing'),
        ({"defaults__acc": {"columns": ["ax"], "unit": "g"}}, "must name three columns"),
        ({"defaults__acc": {"columns": ["ax", "ax", "az"], "unit": "g"}}, "column ax is named twice"),
        ({"defaults__acc": {"columns": ["ax", "ay", "az"], "unit": "kg"}}, 'the unit of "acc" must be one of'),
        ({"defaults__acc": {"columns": ["ax", "ay", "az"]}}, 'the unit of "acc" must be one of'),
        ({"defaults__gyr": {"columns": ["gx", "gy", "Q"], "unit": "deg/s"}}, "has no column Q: it has ax, ay"),
        ({"defaults__time": {"column": "Zeit (ms)"}}, 'the unit of "time" must be'),
        ({"defaults__time": "Zeit (ms)"}, '"time" must name a column and its unit'),
        ({"defaults__time": {"column": "Zeit (ms)", "unit": "samples"}}, "needs rate_hz"),
        ({"defaults__time": {"column": "Zeit (ms)", "unit": "ms", "wraps_at": 0}}, '"wraps_at"'),
        ({"defaults__time": None}, 'neither a "time" column nor "rate_hz"'),
        ({"defaults__rate_hz": 0}, '"rate_hz" must be a number above zero'),
        ({"defaults__rate_hz": 200}, "the rate is given as 200 Hz but Zeit (ms) advances like 100 Hz"),
        ({"sensors__right_foot__model": 3}, '"model" must be a text'),
        ({"sensors__right_shank__file": "Fuß rechts.csv"}, "hold the very same samples"),
    ],
)
def test_a_mapping_that_is_wrong(folder, made, change, words):
    assert words in made.refusal(folder(changed(**change), "import.json")).replace("\\", "")


@pytest.mark.parametrize("mapping", ["format = ", "[[", "\xff\xfe", "", "format = 3", "a = " + "[" * 9000])
def test_a_file_that_is_no_mapping(folder, made, mapping):
    assert "import.toml" in made.refusal(folder(mapping.encode("latin-1")))


def test_two_mappings_and_none(folder, export, made):
    assert "keep one of them" in made.refusal(folder(**{"import.json": changed()}))
    assert "describe it in a file import.toml" in made.refusal(export({"walk.csv": "t,a\n1,2\n"}, name="other"))


def test_tables_that_do_not_overlap(folder, export, made):
    where = folder()
    (where / "Unterschenkel rechts.csv").write_text(german(made, seed=2, start_ms=1e6))
    assert "do not overlap in time" in made.refusal(where)
    (where / "import.toml").write_text('clocks = "started_together"\n' + MAPPING)
    assert any("first samples" in note for note in open_session(where).notes)
