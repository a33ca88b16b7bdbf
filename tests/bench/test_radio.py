"""``subtalar bench radio``: every sample of four Bluetooth sensors arrives, through both routes."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")


@pytest.mark.slow
def test_nothing_is_lost_over_either_route() -> None:
    code = "from subtalar.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "bench", "radio", "--minutes", "0.05", "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    received = [f["value"] for f in figures if f["name"] == "samples received"]
    assert len(received) == (1 if "Left out: BlueZ" in done.stderr else 2)
    assert min(received) > 4 * 200 * 2.5
    assert {f["value"] for f in figures if f["name"] in ("samples lost", "links made again")} == {0.0}
    cost = {f["name"]: f["value"] for f in reversed(figures)}  # the first route's, where two have the same
    assert cost["processor of the sensors"] > 1.0
    assert cost["processor of acquisition"] == pytest.approx(cost["processor"] - cost["processor of the sensors"])
    assert all(1.0 < f["value"] < 200.0 for f in figures if f["name"] == "processor")
