"""Accelerometer and gyroscope of one sensor in two files, each with times and a rate of its own."""

import json

import numpy as np
import pytest

from subtalar.session import open_session
from subtalar.types import BodySite

FOOT = BodySite.RIGHT_FOOT


def acc_at(t):
    swing = np.where(t > 3.0, np.sin(2 * np.pi * t), 0.0)[:, None]
    return np.array([0.3, 9.7, 1.0]) + swing * np.array([6.0, 4.0, 2.0]) + 0.01 * np.cos(t)[:, None]


def gyr_at(t):
    swing = np.where(t > 3.0, np.sin(2 * np.pi * t), 0.0)[:, None]
    return swing * np.array([0.2, 0.5, 4.0]) + 0.01 * np.sin(3 * t + np.arange(3)[:, None]).T


def table(t, values, unit=1e-3):
    return "t,x,y,z\n" + "".join(
        f"{s / unit:.4f}," + ",".join(f"{v:.9f}" for v in row) + "\n" for s, row in zip(t, values, strict=True)
    )


def mapping(**change):
    sensor = {
        "time": {"column": "t", "unit": "ms"},
        "acc": {"file": "acc.csv", "columns": ["x", "y", "z"], "unit": "m/s2"},
        "gyr": {"file": "gyr.csv", "columns": ["x", "y", "z"], "unit": "rad/s"},
    }
    sensor.update(change)
    return json.dumps(
        {
            "format": "subtalar-described-csv",
            "version": 1,
            "sensors": {"right_foot": {k: v for k, v in sensor.items() if v is not None}},
        }
    )


@pytest.mark.parametrize(("acc_hz", "gyr_hz", "rate_hz"), [(100, 200, 200), (100, 100, 100), (400, 200, 400)])
def test_both_at_the_times_of_the_faster_one_inside_the_overlap(export, made, acc_hz, gyr_hz, rate_hz):
    t_acc = 50.003 + np.arange(10 * acc_hz) / acc_hz
    t_gyr = 51.0 + np.arange(10 * gyr_hz) / gyr_hz
    files = {"acc.csv": table(t_acc, acc_at(t_acc - 50)), "gyr.csv": table(t_gyr, gyr_at(t_gyr - 50))}
    session = open_session(export({**files, "import.json": mapping()}))
    assert session.sensors[FOOT].rate_hz == rate_hz
    rows = made.gather(session, FOOT)
    first = max(t_acc[0], t_gyr[0])
    assert session.duration_s == pytest.approx(min(t_acc[-1], t_gyr[-1]) - first, abs=2 / acc_hz + 2 / gyr_hz)
    t = rows[:, 0] + (t_acc if acc_hz > gyr_hz else t_gyr)[np.searchsorted(t_acc if acc_hz > gyr_hz else t_gyr, first)]
    calm = t > 53.1  # the swing begins with a corner
    np.testing.assert_allclose(rows[calm, 1:4], acc_at(t - 50)[calm], atol=0.01)
    np.testing.assert_allclose(rows[calm, 4:7], gyr_at(t - 50)[calm], atol=0.01)
    assert len(session.files) == 2
    assert any("was interpolated to the times of" in n for n in session.notes)
    assert session.ledger[FOOT].lost == 0


def test_what_one_of_the_two_lacks_is_missing(export, made):
    t = np.arange(1000) / 100
    kept = (t < 5.0) | (t > 5.495)
    files = {"acc.csv": table(t[kept], acc_at(t[kept])), "gyr.csv": table(t, gyr_at(t))}
    session = open_session(export({**files, "import.json": mapping()}))
    assert session.ledger[FOOT].lost == 50
    assert any("50 rows that it does not reach were left out" in n for n in session.notes)
    assert np.diff(made.gather(session, FOOT)[:, 0]).max() == pytest.approx(0.51)


def test_each_file_may_have_a_time_of_its_own(export, made):
    t = np.arange(1000) / 100
    files = {"acc.csv": table(t, acc_at(t), 1e-6).replace("t,", "stamp,", 1), "gyr.csv": table(t, gyr_at(t))}
    acc = {
        "file": "acc.csv",
        "columns": ["x", "y", "z"],
        "unit": "m/s2",
        "time": {"column": "stamp", "unit": "us"},
    }
    session = open_session(export({**files, "import.json": mapping(acc=acc)}))
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], t, atol=1e-6)
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 1:4], acc_at(t), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "shift_s", "words"),
    [
        ({}, 100.0, "do not overlap in time"),
        ({"time": None}, 0.0, '"acc" is in a file of its own and needs a "time" column'),
        ({"arrival": {"column": "t", "unit": "ms"}}, 0.0, '"arrival" cannot be used where acc and gyr are'),
        ({"acc": {"columns": ["x", "y", "z"], "unit": "m/s2"}}, 0.0, '"file" must be a text in quotes'),
        ({"acc": {"file": "a.csv", "columns": ["x", "y", "z"], "unit": "g"}}, 0.0, "there is no file a.csv"),
        ({"acc": {"file": "acc.csv", "columns": ["x", "y", "z"], "unit": "g"}}, 0.0, "is it in m/s²?"),
        ({"acc": {"file": 3, "columns": ["x", "y", "z"], "unit": "g"}}, 0.0, '"file" of "acc" must be a text'),
    ],
)
def test_two_files_that_cannot_be_joined(export, made, change, shift_s, words):
    t = np.arange(1000) / 100
    files = {"acc.csv": table(t + shift_s, acc_at(t)), "gyr.csv": table(t, gyr_at(t))}
    assert words in made.refusal(export({**files, "import.json": mapping(**change)}))


def test_a_clock_that_is_set_is_taken_out_of_both(export, made):
    t = np.arange(1000) / 100
    jumped = t + np.where(t >= 5.0, 3600.0, 0.0)
    files = {"acc.csv": table(jumped, acc_at(t)), "gyr.csv": table(jumped, gyr_at(t))}
    session = open_session(export({**files, "import.json": mapping()}))
    np.testing.assert_allclose(made.gather(session, FOOT)[:, 0], t, atol=1e-6)
