"""Simulated devices that other distributions bring."""

import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from subtalar_sim.firmware import registry
from subtalar_sim.firmware.installed_devices import GROUP, load_plug_ins
from subtalar_sim.firmware.registry import SIMULATED, find_simulated, simulated_devices

GOOD = replace(SIMULATED["ximu3"], name="pebble")


@pytest.fixture
def entry(monkeypatch):
    module = ModuleType("of_somebody_else")
    monkeypatch.setitem(sys.modules, "of_somebody_else", module)

    def made(value, name="pebble"):
        attribute = f"value{len(vars(module))}"
        setattr(module, attribute, value)
        return EntryPoint(name, f"of_somebody_else:{attribute}", GROUP)

    return made


def test_our_own_devices_would_pass_as_plug_ins(entry):
    points = [entry(device, name) for name, device in SIMULATED.items()]
    assert load_plug_ins((), lambda: points).devices == SIMULATED


def test_a_device_is_found_beside_our_own(entry, monkeypatch):
    found = load_plug_ins(SIMULATED, lambda: [entry(GOOD)])
    monkeypatch.setattr(registry, "plug_ins", lambda: found)
    assert find_simulated("pebble") is GOOD
    assert list(simulated_devices()) == [*SIMULATED, "pebble"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("pebble", "gives 'str'"),
        (replace(GOOD, name="Pebble one"), "small letters"),
        (replace(GOOD, name="ximu3"), "'ximu3' is taken by the simulator itself"),
        (replace(GOOD, transports=("serial",)), "transports"),
        (replace(GOOD, transports=()), "transports"),
        (replace(GOOD, default_rate_hz=77.0), "usual rate 77"),
        (replace(GOOD, make="Pebble"), "cannot be called"),
    ],
)
def test_a_broken_one_costs_itself_and_is_told_to_who_asks(entry, monkeypatch, value, words):
    found = load_plug_ins(SIMULATED, lambda: [entry(value), entry(replace(GOOD, name="boulder"), "zz")])
    assert list(found.devices) == ["boulder"]
    assert words in found.troubles[0]
    monkeypatch.setattr(registry, "plug_ins", lambda: found)
    with pytest.raises(ValueError, match=r"no device 'pebble'; there are .*; the plug-in 'pebble' of of_somebody_else"):
        find_simulated("pebble")
    assert find_simulated("ximu3") is SIMULATED["ximu3"]


def test_of_two_with_one_name_the_first_has_it(entry):
    first, second = entry(GOOD, "a"), entry(replace(GOOD, title="other"), "b")
    found = load_plug_ins(SIMULATED, lambda: [second, first])
    assert found.devices == {"pebble": GOOD}
    assert "taken by of_somebody_else:" in found.troubles[0]
