"""Movella DOT CSV: layouts as published, one clock, counters that wrap, and exports that hold no raw measurements."""

import gzip
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from subtalar.session import open_session, session_info, verify
from subtalar.types import BodySite

FOOT, SHANK = BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK


def two(made, **options):
    return {
        "RFoot_20210820.csv": made.dot_app(made.motion(seed=1), tag="Right foot", **options),
        "DOT_Shank_R.csv": made.dot_app(made.motion(seed=2), tag="DOT_Shank_R", **options),
    }


def test_the_layout_of_the_app(export, made):
    folder = export(two(made))
    session = open_session(folder)
    assert session.kind == "movella_dot"
    assert session.start_utc == datetime(2021, 8, 20, 12, 21, 13, 823000, tzinfo=UTC)
    foot = made.gather(session, FOOT)
    np.testing.assert_allclose(foot[:, 0], np.arange(480) * 0.016667, atol=1e-9)
    np.testing.assert_allclose(foot[:, 1:], made.motion(seed=1), atol=6e-7)
    info = session.sensors[FOOT]
    assert (info.rate_hz, info.model, info.address) == (60.0, "Movella DOT", "Right foot")
    assert session.ledger[FOOT].lost == 0
    assert session.notes == ()


def test_a_recording_of_two_sensors_that_were_started_apart(export, made):
    """The foot joins 52 ms later by the common clock; its first row, of zeros, is no sample."""
    folder = export(
        {
            "rechts_Fuß.csv": made.dot_recording(
                made.motion(rate_hz=120), tag="bei", start="2021-08-30_17:05:05_000 GMT+8", first_us=2_974_023_062
            ),
            "rechts_Unterschenkel.csv": made.dot_recording(
                made.motion(rate_hz=120, seed=2),
                tag="ydt",
                start="2021-08-30_17:05:05_000 GMT+8",
                first_us=2_973_970_240,
            ),
        },
        name="Gänge von Zoë (2)",
    )
    session = open_session(folder)
    foot = made.gather(session, FOOT)
    assert session.sensors[FOOT].rate_hz == 120.0
    assert foot[0, 0] - made.gather(session, SHANK)[0, 0] == pytest.approx(0.052822, abs=1e-6)
    np.testing.assert_allclose(foot[:, 1:], made.motion(rate_hz=120)[1:], atol=1e-9)
    assert any("assumed" in note for note in session.notes)


def test_the_layout_of_the_pc_kit(export, made):
    folder = export({"logfile_right_foot_D4-22-CD-00-8C-B7.csv": made.dot_pc(made.motion())})
    foot = made.gather(open_session(folder), FOOT)
    np.testing.assert_allclose(foot[:, 0], np.arange(480) / 60, atol=2e-4)
    np.testing.assert_allclose(foot[:, 1:], made.motion(), atol=6e-5)


def test_the_counter_wraps_and_lost_samples_are_counted(export, made):
    kept = [k for k in range(480) if k not in (200, 201, 300)]
    folder = export(
        {
            "right foot.csv": made.dot_app(made.motion(), first_us=2**32 - 1_000_000, keep=kept),
            "right shank.csv": made.dot_app(made.motion(seed=2), tag="x", first_us=500_000),
        }
    )
    session = open_session(folder)
    foot, shank = made.gather(session, FOOT), made.gather(session, SHANK)
    assert foot[0, 0] == 0.0
    assert shank[0, 0] == pytest.approx(1.5, abs=1e-9)
    np.testing.assert_allclose(foot[:, 0], np.array(kept) * 0.016667, atol=1e-9)
    assert session.ledger[FOOT].lost == 3


def test_a_sensor_that_began_anew_is_refused(export, made):
    whole = made.dot_app(made.motion())
    again = made.dot_app(made.motion(seed=3), first_us=1_000_000).split("Gyr_Z\n")[1]
    folder = export({"right foot.csv": whole + again})
    assert "began anew" in made.refusal(folder)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Quat_W,Quat_X,Quat_Y,Quat_Z,FreeAcc_X,FreeAcc_Y,FreeAcc_Z,Status", "orientations and accelerations without"),
        ("Euler_X,Euler_Y,Euler_Z", "only angles to the world"),
        ("Euler_X,Euler_Y,Euler_Z,FreeAcc_X,FreeAcc_Y,FreeAcc_Z,Gyr_X,Gyr_Y,Gyr_Z", "without gravity and rates"),
        ("dq_W,dq_X,dq_Y,dq_Z,dv[1],dv[2],dv[3]", "delta quantities"),
    ],
)
def test_exports_without_raw_measurements(export, made, header, words):
    row = ",".join("0.1" for _ in header.split(","))
    text = "sep=,\nDeviceTag:,R foot\n\n" + f"PacketCounter,SampleTimeFine,{header}\n" + f"1,3343411218,{row}\n" * 3
    found = made.refusal(export({"R foot.csv": text}))
    assert words in found
    assert "Custom mode 5" in found


@pytest.mark.parametrize("sync", ["Un-synced", "Unsynced"])
def test_sensors_that_were_not_synchronised(export, made, sync):
    """A guess would be degrees wrong; the user may say that they were started together."""
    files = two(made, sync=sync)
    found = made.refusal(export(files))
    line = found[found.index("{") : found.rindex("}") + 1]
    folder = export({**files, "sensorspec.json": line})
    session = open_session(folder)
    assert any("not synchronised" in note for note in session.notes)
    assert made.gather(session, FOOT)[0, 0] == made.gather(session, SHANK)[0, 0] == 0.0
    (folder / "sensorspec.json").write_text(line.replace("started_together", "shared"))
    assert not any("not synchronised" in note for note in open_session(folder).notes)


def test_clocks_that_tell_nothing_and_disagree(export, made):
    start = "2021-08-30_17:05:05_000 GMT+8"
    folder = export(
        {
            "RFoot.csv": made.dot_recording(made.motion(rate_hz=120), tag="a", start=start, first_us=1_000_000_000),
            "RShank.csv": made.dot_recording(
                made.motion(rate_hz=120, seed=2), tag="b", start=start, first_us=2_000_000
            ),
        }
    )
    assert "were not synchronised" in made.refusal(folder)


def test_the_sentence_without_names_is_the_file_to_write(export, made):
    files = {
        "D422CD001234.csv": made.dot_app(made.motion(seed=1), tag="Xsens DOT"),
        "D422CD005678.csv": made.dot_app(made.motion(seed=2), tag="Xsens DOT"),
    }
    found = made.refusal(export(files))
    assert "sensorspec.json" in found
    line = found[found.index("{") : found.rindex("}") + 1]
    assert set(json.loads(line)) == {"right_foot", "right_shank"}
    assert set(open_session(export({**files, "sensorspec.json": line})).sensors) == {FOOT, SHANK}


def test_a_spec_may_name_tags_parts_or_files(export, made):
    files = {
        "1_20250711.csv": made.dot_app(made.motion(seed=1), tag="bei"),
        "2_20250711.csv.gz": gzip.compress(made.dot_app(made.motion(seed=2), tag="ydt").encode()),
        "3_20250711.csv": made.dot_app(made.motion(seed=3), tag="pelvis"),
    }
    spec = json.dumps({"left_foot": "BEI", "leftshank": "2_20250711"})
    session = open_session(export({**files, "sensorspec.json": spec}))
    assert set(session.sensors) == {BodySite.LEFT_FOOT, BodySite.LEFT_SHANK}
    assert session.notes == ("Not used: 3_20250711.csv.",)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"right_toe": "bei"}, "unknown sensor"),
        ({"right_foot": 3}, "must name a sensor"),
        ({"right_foot": "zzz"}, "no sensor here is called so"),
        ({"right_foot": ".csv"}, "more than one sensor"),
        ({"right_foot": "bei", "rightfoot": "ydt"}, "twice"),
        ({"right_foot": "bei", "left_foot": "bei"}, "twice"),
        ({}, "names no sensor"),
        ({"right_foot": "bei", "clocks": "mine"}, '"clocks" must be'),
    ],
)
def test_a_spec_that_is_wrong(export, made, spec, words):
    files = {"1.csv": made.dot_app(made.motion(), tag="bei"), "2.csv": made.dot_app(made.motion(seed=2), tag="ydt")}
    assert words in made.refusal(export({**files, "sensorspec.json": json.dumps(spec)}))


def test_two_trials_in_a_folder_and_names_that_disagree(export, made):
    files = two(made)
    again = {"RFoot_20210821.csv": made.dot_app(made.motion(seed=4), tag="Right foot")}
    assert "keep one trial a folder" in made.refusal(export({**files, **again}, name="two"))
    crossed = {"left_foot.csv": made.dot_app(made.motion(), tag="Right foot")}
    assert "different places" in made.refusal(export(crossed, name="crossed"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("german", [False, True])
def test_saved_again_on_windows(export, made, encoding, line_end, german):
    text = made.dot_app(made.motion())
    if german:  # a spreadsheet program takes "sep=," out and writes its own signs
        text = text.removeprefix("sep=,\n").replace(",", ";").replace(".", ",")
    folder = export({"Fuß rechts.csv": text.replace("\n", line_end).encode(encoding)})
    foot = made.gather(open_session(folder), FOOT)
    np.testing.assert_allclose(foot[:, 1:], made.motion(), atol=6e-7)


def test_a_spreadsheet_that_rounded_the_time(export, made):
    lines = made.dot_app(made.motion()).splitlines(keepends=True)
    rounded = [
        f"{line.split(',')[0]},3.34E+09,{','.join(line.split(',')[2:])}" if line[0].isdigit() else line
        for line in lines
    ]
    assert "rounded it" in made.refusal(export({"right foot.csv": "".join(rounded)}))


def test_a_last_row_that_was_cut(export, made):
    text = made.dot_app(made.motion())
    session = open_session(export({"right foot.csv": text[:-3]}))
    assert len(made.gather(session, FOOT)) == 479
    assert any("last row was cut short" in note for note in session.notes)


def test_rates_of_turn_in_rad_s_are_questioned(export, made):
    values = made.motion()
    values[:, 3:] *= made.DEG
    assert "is it in rad/s?" in made.refusal(export({"right foot.csv": made.dot_app(values)}))


def test_info_and_verify(export, made):
    folder = export(two(made))
    assert session_info(folder)["kind"] == "movella_dot"
    assert verify(folder).status == "ok"


def test_one_file_of_a_folder(export, made):
    assert "name the folder" in made.refusal(export(two(made)) / "DOT_Shank_R.csv")
