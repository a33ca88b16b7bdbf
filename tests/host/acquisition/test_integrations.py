"""What accompanies a session: streams of the Lab Streaming Layer, markers from elsewhere."""

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from subtalar.acquisition.commands import Command, Mark
from subtalar.acquisition.integrations.listeners import LONGEST_LABEL, Listener, label_of
from subtalar.acquisition.integrations.session_integrations import SessionIntegrations
from subtalar.acquisition.plan import Integrations
from subtalar.device import SessionClock
from subtalar.errors import LinkError
from subtalar.types import AngleBlock, BodySite, Estimates, GaitEvent, Stride

NAN = float("nan")


class FakeEngine:
    """The part of an engine that its integrations see."""

    def __init__(self) -> None:
        self.clock = SessionClock()
        self.listeners: list[Listener] = []
        self.marks: list[tuple[str, float | None]] = []

    def carry_out(self, command: Command) -> None:
        assert isinstance(command, Mark)
        self.marks.append((command.text, command.time_s))

    def add_listener(self, listener: Listener) -> None:
        listener.on_sites(frozenset({BodySite.LEFT_FOOT, BodySite.LEFT_SHANK}))
        self.listeners.append(listener)


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("turn", "turn"),
        (" two\r\n  words\t", "two words"),
        ("\x1b[31mred\x00", "[31mred"),
        ("Übung 1 – rückwärts", "Übung 1 – rückwärts"),
        ("\x00\n", ""),
        ("x" * 999, "x" * LONGEST_LABEL),
    ],
)
def test_a_label_is_one_printable_line(text, label):
    assert label_of(text) == label


async def test_datagrams_to_the_port_are_markers():
    engine = FakeEngine()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with SessionIntegrations(Integrations(marker_port=port), "s", engine.carry_out) as integrations:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            integrations.attach(engine)  # type: ignore[arg-type]
            sender.sendto("Übung".encode(), ("127.0.0.1", port))
            sender.sendto(b"\xff\xfe", ("127.0.0.1", port))
        await until(lambda: len(engine.marks) == 2)
    assert engine.marks == [("Übung", None), ("\ufffd\ufffd", None)]


async def test_a_port_in_use_is_told():
    engine = FakeEngine()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(LinkError, match="choose another"):
            async with SessionIntegrations(Integrations(marker_port=other.getsockname()[1]), "s", engine.carry_out):
                pass


def stride(**values: Any) -> Stride:
    numbers = {name: NAN for name, kind in Stride.__annotations__.items() if kind is float or kind == "float"}
    return Stride(**{**numbers, "side": "left", "lost_samples": 0, "quality": "ok", **values})


@pytest.fixture
def pylsl(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The library, in a session of its own: another run of the tests on this network is neither heard nor seen.

    liblsl reads LSLAPICFG once, when it is first used in a process.
    """
    settings = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    settings.write_text(f"[lab]\nSessionID = subtalar-tests-{uuid.uuid4().hex}\n")
    os.environ.setdefault("LSLAPICFG", str(settings))
    return pytest.importorskip("pylsl")


def resolved(pylsl: Any, name: str) -> Any:
    found = pylsl.resolve_byprop("name", name, timeout=10.0)
    assert found, f"{name} is not on the network"
    return pylsl.StreamInlet(found[0])


async def test_lsl_streams_carry_angles_strides_events_and_markers_with_their_times(pylsl):
    engine = FakeEngine()
    async with SessionIntegrations(Integrations(lsl=True), "outlets", engine.carry_out) as integrations:
        integrations.attach(engine)  # type: ignore[arg-type]
        inlets = {w: resolved(pylsl, f"subtalar_{w}") for w in ("angles_left", "strides_left", "events", "markers")}
        for inlet in inlets.values():
            inlet.open_stream(timeout=10.0)
        listener = engine.listeners[0]
        outlets = [listener._events, listener._markers, *listener._angles.values(), *listener._strides.values()]
        # An inlet counts as open before the outlet knows of it, and what is sent in between is lost.
        await until(lambda: all(outlet.have_consumers() for outlet in outlets))
        # A pause between the two readings makes a difference smaller: the largest is right.
        offset_s = max(pylsl.local_clock() - engine.clock.now_s() for _ in range(20))
        angles = AngleBlock.of_ankle(
            "left",
            np.array([1.0, 1.005, 1.5]),
            np.array([[1.0, 2.0, 3.0], [NAN] * 3, [4.0, 5.0, 6.0]]),
            np.full((3, 3), 0.5),
            np.array([0, 6, 0], np.uint8),
            np.full((3, 4), NAN),
        )
        found = Estimates(
            (angles,),
            (GaitEvent("left", "initial_contact", 1.25, 1.3),),
            (stride(initial_contact_s=0.25, foot_off_s=0.85, stride_time_s=1.0, peak_eversion_deg=-7.5),),
        )
        listener.on_estimates(found)
        listener.on_marker("turn", 2.0)
        got = {}
        for what, inlet in inlets.items():
            samples, times = [], []
            for _ in range(100):
                more, at = inlet.pull_chunk(timeout=0.1)
                samples, times = samples + more, times + at
                if len(samples) >= (3 if what == "angles_left" else 1):
                    break
            got[what] = samples, [t - offset_s for t in times]
        labels = channel_labels(inlets["strides_left"].info())
        units = channel_units(inlets["angles_left"].info())
        for inlet in inlets.values():
            inlet.close_stream()
    samples, times = got["angles_left"]
    assert times == pytest.approx([1.0, 1.005, 1.5], abs=1e-3)
    assert samples[0][:6] == [1.0, 2.0, 3.0, 0.5, 0.5, 0.5]
    assert np.isnan(samples[1][:3]).all()
    assert [row[-1] for row in samples] == [0.0, 6.0, 0.0]
    assert units[:11] == ["degrees"] * 11
    samples, times = got["strides_left"]
    values = dict(zip(labels, samples[0], strict=True))
    assert times == pytest.approx([0.25], abs=1e-3)
    assert (values["peak_eversion_deg"], values["ok"]) == (-7.5, 1.0)
    assert values["foot_off_after_s"] == pytest.approx(0.6)
    assert np.isnan(values["stride_length_m"])
    assert got["events"][0] == [["left initial_contact"]]
    assert got["events"][1] == pytest.approx([1.25], abs=1e-3)
    assert got["markers"][0] == [["turn"]]
    assert got["markers"][1] == pytest.approx([2.0], abs=1e-3)


def channel_values(info: Any, key: str) -> list[str]:
    channel = info.desc().child("channels").child("channel")
    out = []
    while not channel.empty():
        out.append(channel.child_value(key))
        channel = channel.next_sibling()
    return out


def channel_labels(info: Any) -> list[str]:
    return channel_values(info, "label")


def channel_units(info: Any) -> list[str]:
    return channel_values(info, "unit")


@pytest.mark.parametrize("wanted", ["", "stimuli's"])
async def test_markers_of_other_programs_come_in_with_their_times_and_ours_do_not(pylsl, wanted):
    engine = FakeEngine()
    text = pylsl.StreamOutlet(pylsl.StreamInfo("stimuli's", "Markers", 1, 0.0, pylsl.cf_string, "other program"))
    codes = pylsl.StreamOutlet(pylsl.StreamInfo("codes", "Markers", 1, 0.0, pylsl.cf_int32, "codes of it"))
    async with SessionIntegrations(
        Integrations(lsl=True, lsl_markers=wanted), "inlet", engine.carry_out
    ) as integrations:
        integrations.attach(engine)  # type: ignore[arg-type]
        await until(text.have_consumers)
        if not wanted:
            await until(codes.have_consumers)
        now = pylsl.local_clock()
        engine.listeners[0].on_marker("ours", engine.clock.now_s())
        text.push_sample(["left turn"], now - 0.5)
        codes.push_sample([17], now - 0.25)
        expected = {"left turn": -0.5} if wanted else {"left turn": -0.5, "17": -0.25}
        await until(lambda: len(engine.marks) >= len(expected))
        await asyncio.sleep(0.3)
        now_s = max(engine.clock.now_s() - (pylsl.local_clock() - now) for _ in range(20))  # as above
    assert {label: at - now_s for label, at in engine.marks} == pytest.approx(expected, abs=5e-3)
    del text, codes


async def test_nothing_is_opened_that_was_not_asked_for(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pylsl", None)
    engine = FakeEngine()
    async with SessionIntegrations(replace(Integrations()), "none", engine.carry_out) as integrations:
        integrations.attach(engine)  # type: ignore[arg-type]
    assert not engine.listeners
