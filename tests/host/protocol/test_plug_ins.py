"""Device models that other distributions bring: one that is broken costs itself, and takes no name that is given."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from subtalar.errors import InputError
from subtalar.protocol import MODELS, DeviceModel, find_model, model_for_name, registry
from subtalar.protocol.installed_models import GROUP, PlugIns, load_plug_ins
from subtalar.protocol.talus import Talus
from subtalar.protocol.ximu3 import XImu3


class Pebble(XImu3):
    model = "pebble"


class Misnamed(XImu3):
    model = "gravel"


class Heavy(Pebble):
    """Its class lacks what makes an instance."""

    @classmethod
    def offered_rates_hz(cls):
        raise RuntimeError("no rates\nand much more")


GOOD = DeviceModel("pebble", "Pebble", Pebble, ("serial", "tcp"), ("stone",))


@pytest.fixture
def entry(monkeypatch):
    """Make an entry point for any object."""
    module = ModuleType("of_somebody_else")
    monkeypatch.setitem(sys.modules, "of_somebody_else", module)

    def made(value, name="pebble"):
        attribute = f"value{len(vars(module))}"
        setattr(module, attribute, value)
        return EntryPoint(name, f"of_somebody_else:{attribute}", GROUP)

    return made


def loaded(*points):
    return load_plug_ins(MODELS, lambda: points)


def test_our_own_models_would_pass_as_plug_ins(entry):
    points = [entry(model, model.name) for model in MODELS]
    assert set(load_plug_ins((), lambda: points).models) == set(MODELS)


def test_a_model_is_found_by_its_names(entry, monkeypatch):
    found = loaded(entry(GOOD))
    assert found == PlugIns((GOOD,), ())
    monkeypatch.setattr(registry, "plug_ins", lambda: found)
    assert find_model("PEBBLE") is GOOD
    assert find_model("stone") is GOOD
    assert find_model("talus").protocol is Talus
    assert GOOD in registry.device_models()


def test_a_radio_name_finds_it(entry, monkeypatch):
    class Shiny(Talus):
        model = "shiny"
        gatt = type(Talus.gatt)("service", ("notify",), None, ("Shiny",))

    shiny = DeviceModel("shiny", "Shiny", Shiny, ("ble",))
    found = loaded(entry(shiny))
    assert found.troubles == ()
    monkeypatch.setattr(registry, "plug_ins", lambda: found)
    assert model_for_name("Shiny 12") is shiny


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "gives 'NoneType' and not a"),
        (Pebble, "and not a subtalar.protocol.DeviceModel"),
        (DeviceModel("pebble", "P", str, ("tcp",)), "not a subclass"),  # type: ignore[arg-type]
        (DeviceModel("pebble", "P", Misnamed, ("tcp",)), "calls itself 'gravel'"),
        (DeviceModel("Pebble", "P", Pebble, ("tcp",)), "small letters"),
        (DeviceModel("", "P", Pebble, ("tcp",)), "small letters"),
        (DeviceModel("pebble", "P", Pebble, ("tcp",), ("my,stone",)), "small letters"),
        (DeviceModel("pebble", "P", Pebble, ("tcp",), (7,)), "small letters"),  # type: ignore[arg-type]
        (DeviceModel("pebble", "P", Pebble, ()), "transports"),
        (DeviceModel("pebble", "P", Pebble, ("smoke",)), "transports"),
        (DeviceModel("pebble", "P", Pebble, ("ble",)), "GattProfile"),
        (DeviceModel("pebble", "P", Heavy, ("tcp",)), "no rates."),
        (DeviceModel("ximu3", "P", XImu3, ("tcp",)), "'ximu3' is taken by subtalar itself"),
        (DeviceModel("pebble", "P", Pebble, ("tcp",), ("dot",)), "'dot' is taken by subtalar itself"),
    ],
)
def test_a_broken_one_costs_itself(entry, value, words):
    other = DeviceModel("boulder", "Boulder", type("Boulder", (XImu3,), {"model": "boulder"}), ("tcp",))
    found = loaded(entry(value), entry(other, "zz"))
    assert found.models == (other,)
    (trouble,) = found.troubles
    assert trouble.startswith("The plug-in 'pebble' of of_somebody_else:")
    assert words in trouble
    assert trouble.endswith(".")
    assert "\n" not in trouble


def test_an_import_that_fails_in_any_way_costs_itself(tmp_path, monkeypatch, entry):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "raising_plug_in.py").write_text("raise RuntimeError('a\\nb')\n")
    (tmp_path / "leaving_plug_in.py").write_text("import sys; sys.exit('leaving')\n")
    (tmp_path / "unread_plug_in.py").write_text("def\n")
    (tmp_path / "wordless_plug_in.py").write_text("assert False\n")
    names = ("raising", "leaving", "unread", "wordless", "absent")
    found = loaded(entry(GOOD), *(EntryPoint(name, f"{name}_plug_in:MODEL", GROUP) for name in names))
    assert found.models == (GOOD,)
    assert len(found.troubles) == 5
    assert all(t.count("\n") == 0 and t.startswith("The plug-in ") for t in found.troubles)
    assert "AssertionError" in " ".join(found.troubles)


def test_of_two_with_one_name_the_first_has_it_each_time(entry):
    first, second = entry(GOOD, "a"), entry(DeviceModel("pebble", "Other", Pebble, ("tcp",)), "b")
    for points in ((first, second), (second, first)):
        found = loaded(*points)
        assert found.models == (GOOD,)
        assert "'pebble' is taken by of_somebody_else:" in found.troubles[0]


def test_whoever_asks_for_a_model_that_is_not_there_hears_why(entry, monkeypatch):
    found = loaded(entry(None))
    monkeypatch.setattr(registry, "plug_ins", lambda: found)
    with pytest.raises(InputError, match=r"no sensor model 'pebble'.*known ones are .*talus\. The plug-in 'pebble' of"):
        find_model("pebble")


def test_our_own_models_are_found_without_looking_for_plug_ins(monkeypatch):
    def looked():
        raise AssertionError("looked for plug-ins")

    monkeypatch.setattr(registry, "plug_ins", looked)
    assert [find_model(model.name) for model in MODELS] == list(MODELS)
