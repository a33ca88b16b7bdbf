"""The memory of sensors: written whole or not at all, and what is damaged is kept aside."""

import json
import os
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.device import RememberedSensors
from subtalar.device.remembered import sensors_file
from subtalar.errors import InputError
from subtalar.transport import DeviceSpec, parse_spec
from subtalar.types import BodySite

A, B = "AA:BB:CC:DD:EE:01", "AA:BB:CC:DD:EE:02"


def spec(text: str) -> DeviceSpec:
    return parse_spec(text, need_site=False)


def test_what_is_remembered_is_there_for_the_next_process(tmp_path):
    path = tmp_path / "deep" / "sensors.json"
    first = RememberedSensors(path)
    assert list(first) == []
    assert first.remember(spec(f"right_foot=ble:{A},model=talus,rate=200,acc=8"), "rechts") is None
    again = RememberedSensors(path)
    (kept,) = again
    assert kept.spec == spec(f"right_foot=ble:{A},model=talus,rate=200,acc=8")
    assert kept.name == "rechts"
    assert again.sited() == (kept.spec,)
    assert again.trouble == ""
    assert [p.name for p in path.parent.iterdir()] == ["sensors.json"]


def test_what_is_not_said_again_is_kept_unless_the_model_changes():
    memory = RememberedSensors()
    memory.remember(spec(f"right_foot=ble:{A},model=talus,rate=200,acc=8,gyr=500"), "rechts")
    memory.remember(spec(f"ble:{A.lower()},model=talus,gyr=1000"))
    (kept,) = memory
    assert str(kept.spec).lower() == f"right_foot=ble:{A},model=talus,rate=200,acc=8,gyr=1000".lower()
    assert kept.name == "rechts"
    memory.remember(spec(f"ble:{A},model=witmotion"))
    (kept,) = memory
    assert str(kept.spec) == f"right_foot=ble:{A},model=witmotion"


def test_a_place_has_one_sensor():
    memory = RememberedSensors()
    memory.remember(spec(f"right_foot=ble:{A}"))
    memory.remember(spec(f"left_foot=ble:{B}"))
    displaced = memory.remember(spec(f"right_foot=ble:{B}"))
    assert displaced is not None
    assert displaced.spec.address == A
    at = {s.spec.address: s.spec.site for s in RememberedSensors()}
    assert at == {A: None, B: BodySite.RIGHT_FOOT}


def test_forgetting():
    memory = RememberedSensors()
    memory.remember(spec(f"right_foot=ble:{A}"))
    assert memory.forget(spec(f"ble:{A.lower()}"))
    assert not memory.forget(spec(f"ble:{A}"))
    assert list(RememberedSensors()) == []


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("right_foot", f"right_foot=ble:{A},model=talus,rate=200,acc=8"),
        (f"ble:{A}", f"right_foot=ble:{A},model=talus,rate=200,acc=8"),
        (f"ble:{A.lower()},rate=400", f"right_foot=ble:{A.lower()},rate=400,model=talus,acc=8"),
        (f"left_foot=ble:{A}", f"left_foot=ble:{A},model=talus,rate=200,acc=8"),
        (f"ble:{A},model=witmotion", f"right_foot=ble:{A},model=witmotion"),
        (f"ble:{B},rate=100", f"ble:{B},rate=100"),
        ("serial:/dev/by=id,model=talus", "serial:/dev/by=id,model=talus"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_specs_are_completed_from_memory(text, complete):
    memory = RememberedSensors()
    memory.remember(spec(f"right_foot=ble:{A},model=talus,rate=200,acc=8"))
    assert memory.complete(text) == complete


def test_a_place_where_nobody_sits_is_one_sentence():
    with pytest.raises(InputError, match="No sensor is remembered for left_shank"):
        RememberedSensors().complete("left_shank")


GOOD = json.dumps({"format": "subtalar-sensors", "version": 1, "sensors": [{"spec": f"ble:{A}", "name": ""}]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        GOOD[:-1],
        GOOD.replace("subtalar-sensors", "other"),
        GOOD.replace('"version": 1', '"version": "1"'),
        GOOD.replace("ble:", "moon:"),
        GOOD.replace('"name"', '"nome"'),
        GOOD.replace('"sensors": [', '"sensors": [7, '),
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_damaged_file_is_one_sentence_and_kept_aside(sensors_file, text):
    sensors_file.parent.mkdir()
    raw = text.encode("utf-8", "surrogateescape")
    sensors_file.write_bytes(raw)
    memory = RememberedSensors()
    assert list(memory) == []
    assert memory.trouble.endswith(".")
    aside = sensors_file.with_name("sensors.json.damaged")
    assert aside.read_bytes() == raw
    assert str(aside) in memory.trouble
    memory.remember(spec(f"right_foot=ble:{A}"))
    assert RememberedSensors().trouble == ""
    sensors_file.write_bytes(raw)
    assert "damaged2" in RememberedSensors().trouble
    assert aside.read_bytes() == raw


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255))
def test_any_altered_byte_gives_sensors_or_one_sentence(tmp_path, at, byte):
    path = tmp_path / "sensors.json"
    raw = bytearray(GOOD.encode())
    raw[at] = byte
    path.write_bytes(raw)
    try:
        memory = RememberedSensors(path)
    except InputError as error:
        said = str(error)
    else:
        said = memory.trouble
        assert said or len(list(memory)) == 1
    assert said == "" or said.count(". ") == 0


def test_a_file_of_a_newer_version_is_left_alone(sensors_file):
    sensors_file.parent.mkdir()
    text = '{"format": "subtalar-sensors", "version": 2, "people": []}'
    sensors_file.write_text(text)
    with pytest.raises(InputError, match="newer subtalar"):
        RememberedSensors()
    assert sensors_file.read_text() == text


def test_what_cannot_be_written_leaves_the_old_in_place(sensors_file, monkeypatch):
    memory = RememberedSensors()
    memory.remember(spec(f"right_foot=ble:{A}"))
    before = sensors_file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        memory.remember(spec(f"left_foot=ble:{B}"))
    assert sensors_file.read_bytes() == before
    assert [p.name for p in sensors_file.parent.iterdir()] == ["sensors.json"]
    assert [s.spec.address for s in memory] == [A]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems: tests/host/session/test_places.py")
def test_where_it_is_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("SUBTALAR_SENSORS")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert sensors_file() == tmp_path / "xdg" / "subtalar" / "sensors.json"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert sensors_file() == tmp_path / ".config" / "subtalar" / "sensors.json"


def test_ranges_are_part_of_a_spec_and_refused_where_a_model_lacks_them():
    assert spec("tcp:h:1,model=talus,acc=8,gyr=500").make_protocol().acc_range_m_s2 == pytest.approx(8 * 9.80665)
    shimmer = spec("serial:/dev/x,model=shimmer3,acc=4").make_protocol()
    assert shimmer.acc_range_m_s2 == pytest.approx(4 * 9.80665)
    with pytest.raises(InputError, match=r"no gyroscope range 7 °/s: choose one of 250, 500"):
        spec("serial:/dev/x,model=shimmer3,gyr=7")
    with pytest.raises(InputError, match=r"No board has the gyroscope range 7000 °/s"):
        spec("tcp:h:1,model=talus,gyr=7000")
    with pytest.raises(InputError, match="accelerometer range of the ximu3 cannot be set"):
        spec("tcp:h:1,model=ximu3,acc=16")
    with pytest.raises(InputError, match="accelerometer range 'big' is no number"):
        spec("tcp:h:1,model=talus,acc=big")
    assert replace(spec("tcp:h:1"), acc_range_g=None) == spec("tcp:h:1")
