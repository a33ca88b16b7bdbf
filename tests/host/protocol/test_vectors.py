"""Frozen wire bytes: every vector decodes to what its source says."""

import json
from math import radians
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subtalar.conventions import GRAVITY_M_S2
from subtalar.protocol import (
    MODELS,
    BatteryLevel,
    DeviceMessage,
    DeviceProtocol,
    DeviceReply,
    InertialSamples,
    create_protocol,
)

VECTORS = Path(__file__).parents[2] / "vectors"
LINES = [line for path in sorted(VECTORS.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
NAMES = {model.name for model in MODELS}
RECORDS: list[dict[str, Any]] = [record for record in map(json.loads, LINES) if record["model"] in NAMES]


def after_what_came_before(record: dict[str, Any]) -> DeviceProtocol:
    """A codec that has heard what makes sense of the vector: which chip, which range."""
    protocol = create_protocol(record["model"])
    for earlier in record.get("before", []):
        protocol.feed(bytes.fromhex(earlier), record.get("characteristic", ""))
    return protocol


def test_there_are_vectors_for_every_model():
    for model in MODELS:
        assert len([r for r in RECORDS if r["model"] == model.name]) >= 5, model.name


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['model']}: {r['name']}")
def test_vector(record):
    protocol = after_what_came_before(record)
    events = protocol.feed(bytes.fromhex(record["hex"]), record.get("characteristic", ""))
    assert protocol.health.corrupt_bytes == 0
    assert protocol.health.skipped_frames == record.get("skipped", 0)
    checks = 0
    samples = [e for e in events if isinstance(e, InertialSamples)]
    if "samples" in record:
        (batch,) = samples
        assert len(batch) == record.get("n_samples", len(record["samples"]))
        for i, want in enumerate(record["samples"]):
            np.testing.assert_allclose(batch.acc_m_s2[i] / GRAVITY_M_S2, want["acc_g"], atol=6e-6)
            np.testing.assert_allclose(batch.gyr_rad_s[i], [radians(v) for v in want["gyr_deg_s"]], atol=1e-7)
            assert (batch.device_time_us is None) == ("time_us" not in want)
            if batch.device_time_us is not None:
                assert batch.device_time_us[i] == want["time_us"]
            checks += 1
    else:
        assert not samples
    battery = [e for e in events if isinstance(e, BatteryLevel)]
    if "battery" in record:
        assert battery[0].percent == record["battery"]["percent"]
        assert battery[0].voltage_v == pytest.approx(record["battery"]["voltage_v"])
        checks += 1
    if record.get("no_battery"):
        assert not battery
    replies = {e.key: e for e in events if isinstance(e, DeviceReply)}
    for key, value in record.get("replies", {}).items():
        got = replies[key].value
        assert (list(got) if isinstance(got, tuple) else got) == value
        assert replies[key].error == record.get("error")
        checks += 1
    if "message" in record:
        assert [e for e in events if isinstance(e, DeviceMessage)] == [DeviceMessage(**record["message"])]
        checks += 1
    assert checks or record.get("skipped")


@pytest.mark.parametrize("record", [r for r in RECORDS if "samples" in r], ids=lambda r: f"{r['model']}: {r['name']}")
def test_arrays_are_contiguous_float64(record):
    events = after_what_came_before(record).feed(bytes.fromhex(record["hex"]), record.get("characteristic", ""))
    (batch,) = [e for e in events if isinstance(e, InertialSamples)]
    for array in (batch.acc_m_s2, batch.gyr_rad_s):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
