"""x-IMU3 CSV: one folder a device, as the data logger and the converter write it."""

import gzip
import json

import numpy as np
import pytest

from subtalar.session import open_session, session_info, verify
from subtalar.types import BodySite

FOOT, SHANK = BodySite.LEFT_FOOT, BodySite.LEFT_SHANK


def two(made, interface="UDP", names=("Left Foot", "Left Shank"), **second):
    foot, shank = (made.motion(rate_hz=50, seed=seed) for seed in (1, 2))
    return {
        f"{names[0]} 673B204B ({interface})/Inertial.csv": made.ximu3(foot),
        f"{names[0]} 673B204B ({interface})/Command.json": made.ping(names[0], "673B204B", interface),
        f"{names[0]} 673B204B ({interface})/Temperature.csv": "Timestamp (us),Temperature (C)\n1,25.0\n",
        f"{names[1]} 65577B49 ({interface})/Inertial.csv": made.ximu3(shank, **second),
        f"{names[1]} 65577B49 ({interface})/Command.json": made.ping(names[1], "65577B49", interface),
    }


def test_the_layout_of_the_data_logger(export, made):
    folder = export(two(made, first_us=19_250_794))
    session = open_session(folder)
    assert session.kind == "ximu3"
    foot = made.gather(session, FOOT)
    np.testing.assert_allclose(foot[:, 1:], made.motion(rate_hz=50), atol=1e-5)
    np.testing.assert_allclose(foot[:, 0], np.arange(400) * 0.0199904, atol=1e-6)
    assert made.gather(session, SHANK)[0, 0] == pytest.approx(0.1, abs=1e-9)
    info = session.sensors[FOOT]
    assert (info.rate_hz, info.model, info.address) == (50.0, "x-IMU3", "673B204B")
    assert session.ledger[FOOT].lost == 0
    assert session_info(folder)["kind"] == "ximu3"
    assert verify(folder).status == "ok"


def test_lost_messages_are_counted(export, made):
    lines = made.ximu3(made.motion(rate_hz=50)).splitlines(keepends=True)
    folder = export({"x-IMU3 right foot (UDP)/Inertial.csv": "".join(lines[:100] + lines[103:])})
    assert open_session(folder).ledger[BodySite.RIGHT_FOOT].lost == 3


def test_one_device_and_its_folder_named_itself(export, made):
    folder = export({"Inertial.csv.gz": gzip.compress(made.ximu3(made.motion(rate_hz=50)).encode())}, "right shank")
    (folder / "sensorspec.json").write_text('{"right_shank": "right shank"}')
    assert set(open_session(folder).sensors) == {BodySite.RIGHT_SHANK}


def test_old_firmware_names_itself_otherwise(export, made):
    answers = '[{"ping":{"deviceName":"Foot L","interface":"UDP","serialNumber":"F7E4-5410"}}]'
    folder = export(
        {"Connection 0/Inertial.csv": made.ximu3(made.motion(rate_hz=50)), "Connection 0/Command.json": answers}
    )
    assert open_session(folder).sensors[FOOT].address == "F7E4-5410"


def test_devices_that_have_no_names(export, made):
    files = two(made, names=("x-IMU3", "x-IMU3"))
    found = made.refusal(export(files))
    line = found[found.index("{") : found.rindex("}") + 1]
    assert "x-IMU3 673B204B (UDP)" in json.loads(line).values()
    spec = '{"left_foot": "673B204B", "left_shank": "65577B49"}'
    assert set(open_session(export({**files, "sensorspec.json": spec})).sensors) == {FOOT, SHANK}


def test_devices_on_usb_have_clocks_of_their_own(export, made):
    """Powered by one hub, their timestamps agree within a second and are still not one clock."""
    found = made.refusal(export(two(made, interface="USB", first_us=19_200_000)))
    assert "record over Wi-Fi with synchronisation on" in found
    assert "started_together" in found


def test_timestamps_far_apart_are_not_one_clock(export, made):
    assert "clocks of their own" in made.refusal(export(two(made, first_us=500_000_000)))


@pytest.mark.parametrize("damage", ["[", "[]", "[1]", '{"ping": 3}', '[{"ping": {"name": 3}}]', "\xff"])
def test_answers_that_are_damaged_cost_nothing(export, made, damage):
    folder = export(
        {
            "x-IMU3 left foot (UDP)/Inertial.csv": made.ximu3(made.motion(rate_hz=50)),
            "x-IMU3 left foot (UDP)/Command.json": damage.encode("latin-1"),
        }
    )
    assert set(open_session(folder).sensors) == {FOOT}


@pytest.mark.parametrize(
    ("factor_acc", "factor_gyr", "words"),
    [
        (9.80665, 1.0, "where g would give 1: is it in m/s²?"),
        (1000.0, 1.0, "is it in milli-g?"),
        (9.80665 / 1000.0, 1.0, "was m/s² taken for milli-g"),
        (1.0, np.pi / 180, "is it in rad/s?"),
        (1.0, 1000.0, "is it in milli-deg/s?"),
        (1.0, 1e6, "raw counts"),
    ],
)
def test_units_that_the_header_does_not_mean(export, made, factor_acc, factor_gyr, words):
    values = made.motion(rate_hz=50) * np.repeat([factor_acc, factor_gyr], 3)
    assert words in made.refusal(export({"left foot/Inertial.csv": made.ximu3(values)}))


def test_acceleration_without_gravity(export, made):
    values = made.motion(rate_hz=50)
    values[:, :3] -= values[:100, :3].mean(axis=0)
    assert "gravity is missing" in made.refusal(export({"left foot/Inertial.csv": made.ximu3(values)}))


@pytest.mark.parametrize("column", range(6))
def test_a_dead_axis(export, made, column):
    values = made.motion(rate_hz=50)
    values[:, column] = 0.125 * (1 if column < 3 else made.DEG)
    found = made.refusal(export({"left foot/Inertial.csv": made.ximu3(values)}))
    assert "in every row while the axes beside it change" in found


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_that_stands_in_for_another(export, made, sign):
    values = made.motion(rate_hz=50)
    values[:, 4] = sign * values[:, 5]
    found = made.refusal(export({"left foot/Inertial.csv": made.ximu3(values)}))
    assert "Gyroscope Y (deg/s) and Gyroscope Z (deg/s) hold the same numbers" in found


def test_a_file_that_was_renamed(export, made):
    text = made.dot_app(made.motion())
    assert "has no column Timestamp (us)" in made.refusal(export({"left foot/Inertial.csv": text}))
    assert "is empty" in made.refusal(export({"left foot/Inertial.csv": " \n"}))


def test_raw_logs_are_to_be_converted(export, made):
    assert "convert it to CSV" in made.refusal(export({"log.ximu3": b"\x80abc"}) / "log.ximu3")
