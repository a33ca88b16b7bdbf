"""The search over bleak's BlueZ code: what goes wrong at its very start does not last."""

import asyncio
import time

import pytest

from subtalar.transport import parse_spec, radio


@pytest.fixture
def one_sensor():
    pytest.importorskip("bumble", reason="the simulated radio needs the sim extra")
    from subtalar_sim.body import BodyConfig
    from subtalar_sim.config import SimulationConfig

    return SimulationConfig(BodyConfig(seed=6, walking_s=60.0), sites=("right_foot",), rate_hz=100.0)


def address_of(hardware) -> str:
    return parse_spec(hardware.specs[0]).address


async def find(hardware, timeout_s: float = 8.0):
    return await radio.radio_search(None).find(address_of(hardware), timeout_s)


async def is_found_within(hardware, attempts: int) -> bool:
    """As a link does that tries again."""
    for _ in range(attempts):
        try:
            return await find(hardware) is not None
        except Exception as error:
            print(repr(error))
        await asyncio.sleep(0.1)
    return False


async def test_an_adapter_that_appears_while_the_computer_stands_still_is_found(
    one_sensor, served_by_bluez, monkeypatch
):
    """BlueZ answers that it has nothing, has an adapter, and bleak comes to read both at once."""
    from subtalar_sim.serve.bluez.objects import ObjectTree

    answer, answered = ObjectTree.answer, []

    def answer_early(tree, call):
        if call.member != "GetManagedObjects" or answered:
            return answer(tree, call)
        answered.append(call)
        objects, tree._objects = tree._objects, {}
        answer(tree, call)
        for path, interfaces in objects.items():
            tree.add(path, *interfaces.values())
        time.sleep(0.3)
        return True

    monkeypatch.setattr(ObjectTree, "answer", answer_early)
    async with served_by_bluez(one_sensor) as (hardware, _):
        assert await is_found_within(hardware, 3)
        assert answered


async def test_a_search_that_bluez_begins_too_late_is_in_nobodys_way(one_sensor, served_by_bluez, monkeypatch):
    """Nobody waits for it any more, but BlueZ has one search for each program."""
    from subtalar_sim.serve.bluez.adapter import Adapter

    fit_scan, slow = Adapter._fit_scan, [1.0]

    async def fit_scan_slowly(adapter):
        await asyncio.sleep(slow.pop() if slow else 0.0)
        await fit_scan(adapter)

    monkeypatch.setattr(Adapter, "_fit_scan", fit_scan_slowly)
    monkeypatch.setattr(radio, "_BLEAK_TIMEOUT_S", 0.5)
    async with served_by_bluez(one_sensor) as (hardware, _):
        with pytest.raises(TimeoutError):
            await find(hardware)
        assert await is_found_within(hardware, 3)


async def test_a_search_given_up_while_it_begins_is_in_nobodys_way(one_sensor, served_by_bluez, monkeypatch):
    from subtalar_sim.serve.bluez.adapter import Adapter

    fit_scan = Adapter._fit_scan
    begun = asyncio.Event()

    async def fit_scan_slowly(adapter):
        begun.set()
        await asyncio.sleep(0.2)
        await fit_scan(adapter)

    monkeypatch.setattr(Adapter, "_fit_scan", fit_scan_slowly)
    async with served_by_bluez(one_sensor) as (hardware, _):
        looking = asyncio.create_task(find(hardware))
        await begun.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await asyncio.sleep(0.5)
        assert not hardware.radio.central.is_scanning
        assert await is_found_within(hardware, 1)
