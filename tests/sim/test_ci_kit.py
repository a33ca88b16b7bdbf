"""The CI kit as a stranger gets it: the fixtures by themselves, and the example project on a copy of it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
# Where the installed copy does not name the plugin yet, this is how it comes in; where it does, it is the same one.
PLUGIN = ("-p", "subtalar_sim.pytest_plugin")


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "firmware_sim"), str(ROOT / "host")])},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.slow
def test_the_example_project_passes_on_a_copy(tmp_path: Path) -> None:
    copy = tmp_path / "my-lab"
    shutil.copytree(ROOT / "docs" / "ci-kit", copy)
    done = run_pytest(copy, "-p", "no:asyncio", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout


@pytest.mark.slow
def test_the_example_project_passes_with_the_wheel_that_its_page_builds(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed: no wheel can be built")
    page = (ROOT / "docs" / "ci-kit" / "README.md").read_text("utf-8")
    assert "\npython -m pip wheel --no-deps --wheel-dir wheels ./subtalar " in page
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    offline = ("--no-deps", "--no-index")
    for command in (
        ["wheel", *offline, "--no-build-isolation", "--wheel-dir", str(tmp_path / "wheels"), str(ROOT)],
        ["install", *offline, "--target", str(tmp_path / "site"), "--find-links", str(tmp_path / "wheels"), "subtalar"],
    ):
        done = subprocess.run([*pip, *command], capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "wheels").iterdir()
    assert re.search(r"wheels/(subtalar-\S+-any\.whl)", page).group(1) == wheel.name
    shutil.copytree(ROOT / "docs" / "ci-kit", tmp_path / "my-lab")
    (tmp_path / "my-lab" / "tests" / "test_whose.py").write_text(
        "import subtalar_sim, subtalar_sim.pytest_plugin as plugin\n"
        "def test_whose(request):\n"
        f"    assert subtalar_sim.__file__.startswith({str(tmp_path / 'site')!r})\n"
        "    assert request.config.pluginmanager.is_registered(plugin)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error"],
        cwd=tmp_path / "my-lab",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 passed" in done.stdout


@pytest.mark.parametrize("asyncio_plugin", ["asyncio", "no:asyncio"])
def test_fixtures_work_with_and_without_an_asyncio_plugin(tmp_path: Path, asyncio_plugin: str) -> None:
    test = """
import asyncio, pytest
def test_numbers(simulated_leg):
    assert len(simulated_leg(seconds=15).samples("right_shank").t_s) > 2900
async def open_and_read(address):
    reader, writer = await asyncio.open_connection(*address.rsplit(":", 1))
    data = await reader.read(100)
    writer.close()
    await writer.wait_closed()
    return data
def test_connect(served_leg):
    assert asyncio.run(open_and_read(served_leg.addresses["right_foot"]))
"""
    if asyncio_plugin == "asyncio":
        test += """
@pytest.mark.asyncio
async def test_connect_in_a_loop(served_leg):
    assert await open_and_read(served_leg.addresses["right_foot"])
"""
    (tmp_path / "test_it.py").write_text(test, "utf-8")
    options = ("-o", "asyncio_default_fixture_loop_scope=function") if asyncio_plugin == "asyncio" else ()
    plugin = ("-p", "no:asyncio") if asyncio_plugin == "no:asyncio" else ()
    done = run_pytest(tmp_path, *plugin, *options, "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_costs_nothing_until_it_is_used() -> None:
    heavy = "{'numpy', 'scipy', 'asyncio', 'bleak', 'bumble', 'dbus_fast', 'subtalar', 'subtalar_sim.config'}"
    code = (
        "import pytest, sys; before = set(sys.modules); import subtalar_sim.pytest_plugin; "
        f"print({heavy} & (set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_the_installed_project_names_the_plugin() -> None:
    import tomllib

    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    assert points == {"subtalar_sim.pytest_plugin": "subtalar_sim.pytest_plugin"}


def test_every_fixture_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "test_none.py").write_text("", "utf-8")
    shown = run_pytest(tmp_path, "--fixtures", "-p", "no:asyncio").stdout
    for name in ("simulated_leg", "simulated_legs", "truth_angles", "serve_sensors", "served_leg", "lossy_link"):
        assert f"\n{name} " in shown, shown
    assert "no docstring available" not in shown


# The fixtures in this very run ----------------------------------------------------------------------------------------


def test_equal_arguments_give_equal_numbers_and_bytes(simulated_leg) -> None:
    a, b, other = simulated_leg(15, seed=3), simulated_leg(15, seed=3), simulated_leg(15, seed=4)
    np.testing.assert_array_equal(a.samples("right_foot").acc_m_s2, b.samples("right_foot").acc_m_s2)
    assert a.stream("right_shank") == b.stream("right_shank")
    assert a.stream("right_shank") != other.stream("right_shank")


def test_truth_is_that_of_the_simulated_leg(simulated_leg, truth_angles) -> None:
    t = np.arange(0.0, 20.0, 0.1)
    leg = simulated_leg(40, seed=7, style="overpronated")
    np.testing.assert_array_equal(truth_angles("right", t, seed=7, style="overpronated"), leg.truth_deg("right", t))
    assert np.ptp(leg.truth_deg("right", t)[:, 0]) > 15.0


@pytest.mark.parametrize("device", ["witmotion", "ximu3"])
def test_faults_are_in_the_bytes_and_counted(simulated_leg, device) -> None:
    leg = simulated_leg(15, device=device, faults="loss=0.05, drop_link@10s+1s, duplicate=0.01")
    arrivals = leg.stream("right_foot")
    ledger = leg.ledgers["right_foot"]
    assert 0.02 * 3000 < ledger.lost < 0.1 * 3000
    assert ledger.unsent >= 190
    assert ledger.duplicated > 0
    assert ledger.sent + ledger.lost + ledger.unsent == pytest.approx(3000, rel=0.01)  # the device's own idea of 200 Hz
    assert not [a for a in arrivals if 10.0 < a.t_s < 11.0]
    assert [a for a in arrivals if a.t_s > 11.0]
    times = [a.t_s for a in arrivals]
    assert times == sorted(times)


def test_a_device_that_must_be_told_is_told(simulated_leg) -> None:
    leg = simulated_leg(16, device="shimmer3")
    assert sum(len(a.data) for a in leg.stream("right_foot")) < 50
    assert sum(len(a.data) for a in leg.stream("right_foot", commands=[b"\x07"])) > 1000


def test_too_short_a_session_is_one_sentence(simulated_leg) -> None:
    with pytest.raises(ValueError, match="before the walking starts"):
        simulated_leg(3)


def ends(link: socket.socket) -> bool:
    try:
        while link.recv(4096):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def test_a_link_can_be_broken_and_mended_by_the_test(serve_sensors) -> None:
    sensors = serve_sensors(sites=("left_foot",))
    host, port = sensors.addresses["left_foot"].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        assert link.recv(100)
        sensors.take_down("left_foot")
        assert ends(link)
    sensors.bring_up("left_foot")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        assert link.recv(100)
    assert sensors.ledger("left_foot").sent > 0
    now = time.monotonic()
    assert sensors.truth_deg("left", np.array([now, now + 0.1])).shape == (2, 3)


def test_what_cannot_be_served_is_refused_and_no_thread_stays(serve_sensors) -> None:
    with pytest.raises(ValueError, match="not over udp"):
        serve_sensors("witmotion", transport="udp")
    sensors = serve_sensors()
    assert any(t.name == "simulated sensors" for t in threading.enumerate())
    sensors.stop()
    assert not any(t.name == "simulated sensors" for t in threading.enumerate())


def test_bluetooth_for_other_code(serve_sensors) -> None:
    pytest.importorskip("bleak", reason="Bluetooth tests need bleak")
    pytest.importorskip("bumble", reason="Bluetooth tests need bumble")
    sensors = serve_sensors("witmotion", sites=("right_foot",))
    assert os.environ["DBUS_SYSTEM_BUS_ADDRESS"] == sensors.environment["DBUS_SYSTEM_BUS_ADDRESS"]
    listen = subprocess.run([sys.executable, "-c", _SCAN], capture_output=True, text=True, timeout=60, check=False)
    assert listen.stdout.split() == [sensors.addresses["right_foot"]], listen.stderr


_SCAN = """
import asyncio, bleak
for device in asyncio.run(bleak.BleakScanner.discover(timeout=0.5)):
    print(device.address)
"""
