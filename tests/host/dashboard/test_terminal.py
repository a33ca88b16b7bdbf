import io
import re
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from subtalar.acquisition.commands import Command, Mark
from subtalar.dashboard import run_terminal
from subtalar.dashboard.places.live.actions import LiveActions
from subtalar.dashboard.places.live.model import LiveModel
from subtalar.dashboard.stream import SessionStream
from subtalar.dashboard.terminal import follow
from subtalar.dashboard.terminal.follow import mark_by_key, print_line
from subtalar.dashboard.terminal.keys import ELSEWHERE_KEY
from subtalar.dashboard.terminal.lines import plain_line
from subtalar.dashboard.terminal.screen import screen
from subtalar.types import BodySite, SensorInfo, SensorStatus


class FileConsole(Console):
    def __init__(self, width=80, encoding="utf-8", terminal=False):
        self.raw = io.BytesIO()
        stream = io.TextIOWrapper(self.raw, encoding=encoding, write_through=True)
        super().__init__(file=stream, width=width, height=24, force_terminal=terminal, color_system=None)

    def text(self) -> str:
        return self.raw.getvalue().decode(self.file.encoding)


@pytest.fixture
def model(feeder, reader):
    feeder.say("advice", "walk", "Walk")
    feeder.feed_until(20.0)
    feeder.status(left_foot="reconnecting")
    feeder.session(recording_path="/data/walk.mcap")
    model = LiveModel(SessionStream(reader, reader.heartbeat_ns))
    model.stream.refresh()
    return model


def test_the_screen_has_all_facts_and_fits_80_by_24(model):
    console = FileConsole()
    console.print(screen(model))
    lines = console.text().splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for fact in ("0:20", "simulated sensors", "/data/walk.mcap", "Left foot sensor lost", "Left", "Right"):
        assert fact in text
    assert re.search(r"Dorsiflexion +[+−]?\d+\.\d° ± 0\.\d", text)
    assert re.search(r"Left foot +reconnecting", text)
    assert "17 % low" in text
    assert re.search(r"Right mean +1\.0\d", text)
    assert sum(bar in text for bar in "▁▂▃▄▅▆▇█") > 4


def test_not_a_terminal_gets_lines_and_a_summary(feeder, writer, when):
    feeder.say("advice", "walk", "Walk")
    feeder.feed_until(20.0)
    feeder.status()
    feeder.session()
    console = FileConsole()
    when(lambda: console.text().count("\n") >= 2, lambda: feeder.session(state="ended"))
    assert follow.run(writer.name, console=console, wait_s=1.0) == 0
    lines = console.text().splitlines()
    assert "\x1b" not in console.text()
    assert lines[0].startswith("0:20 | Walk | left: ")
    running = [line for line in lines if " strides" in line and "|" in line]
    assert len(running) == 2
    assert "left: no data" in running[-1]  # nothing came for a second
    assert "Session ended." in lines
    assert lines[-1].endswith("insole-A.mcap")
    assert any(line.startswith("Right, mean of the last 10 good strides: stride time 1.0") for line in lines)


def test_a_plain_line_has_values_with_their_sd(model):
    line = plain_line(model)
    assert re.search(r"left: dorsiflexion [+−]?\d+\.\d° ± 0\.\d, inversion .* \| right: dorsiflexion", line)
    assert line.endswith("strides | left foot reconnecting")


def test_a_plain_line_says_what_the_problem_is(model, feeder):
    feeder.session(recording_error="The disk is full.")
    model.stream._facts_ns = None
    model.stream.refresh()
    assert " | Not recording (The disk is full.) | " in plain_line(model)


def test_an_output_without_unicode_is_no_traceback(model, writer, feeder):
    feeder.session(state="ended")
    console = FileConsole(encoding="ascii")
    print_line(console, plain_line(model))
    assert follow.run(writer.name, console=console, wait_s=1.0) == 0
    assert "+/- 0." in console.text()


def test_in_a_terminal_the_screen_is_live(model, writer, feeder, when):
    console = FileConsole(terminal=True)
    when(lambda: console.text().count("Tibial rotation") >= 2, lambda: feeder.session(state="ended"))
    assert follow.run(writer.name, console=console, wait_s=1.0) == 0
    assert "Saved in /data/walk.mcap" in console.text()


def test_duration_stops_the_session_and_waits_for_it(model, writer, feeder, control, capsys):
    def stop():
        control.stops += 1
        feeder.session(state="ended")

    control.stop = stop
    assert run_terminal(writer.name, control, duration_s=20.0, wait_s=1.0) == 0
    assert control.stops == 1
    assert "Session ended." in capsys.readouterr().out


def test_ctrl_c_stops_the_session_and_ends_cleanly(model, writer, feeder, control, monkeypatch, capsys):
    real_sleep, slept = time.sleep, []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt
        if control.stops:
            feeder.session(state="ended")
        real_sleep(min(seconds, 0.05))

    monkeypatch.setattr(follow.time, "sleep", sleep)
    assert run_terminal(writer.name, control, wait_s=1.0) == 0
    assert control.stops == 1
    assert "Saved in /data/walk.mcap" in capsys.readouterr().out


def test_a_dead_measuring_process_is_exit_status_1(model, writer, monkeypatch, capsys):
    monkeypatch.setattr("subtalar.acquisition.ring.RingReader.writer_state", lambda self: "died")
    assert run_terminal(writer.name, wait_s=1.0) == 1
    out = capsys.readouterr().out
    assert "Recording stopped: the measuring process ended." in out
    assert "/data/walk.mcap" in out


def test_a_foot_alone_is_told_by_its_own_angles(feeder, writer, reader):
    sites = (BodySite.LEFT_FOOT, BodySite.RIGHT_FOOT, BodySite.RIGHT_SHANK)
    writer.publish_status([SensorStatus(SensorInfo(site, 100.0), "streaming") for site in sites])
    feeder.lone = {"left": "foot"}
    feeder.feed_until(20.0)
    model = LiveModel(SessionStream(reader, reader.heartbeat_ns))
    model.stream.refresh()
    left, right = plain_line(model).split("left: ")[1].split("right: ")
    assert left.startswith("foot pitch ")
    assert "foot inversion" in left
    assert right.startswith("dorsiflexion")
    console = FileConsole()
    console.print(screen(model))
    lines = console.text().splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "– foot sensor only" in text
    assert re.search(r"Foot pitch +[+−]?\d+\.\d° ± 0\.\d", text)


def test_m_and_digits_are_markers_and_other_keys_are_not(model):
    asked: list[Command] = []
    actions = LiveActions(model.stream, SimpleNamespace(send=asked.append))
    assert [mark_by_key(actions, key) for key in ("m", "7", "m", "e", "\x1b", "")] == [*(True,) * 3, *(False,) * 3]
    assert asked == [Mark("marker 1"), Mark("7"), Mark("marker 3")]
    assert actions.marked == 3
    nobody = LiveActions(model.stream, SimpleNamespace(send=raising))
    assert not mark_by_key(nobody, "m")
    assert nobody.marked == 0


def raising(command: Command) -> None:
    raise BrokenPipeError


def test_the_screen_says_how_markers_are_put_where_they_can_be(model):
    for marked, shown in ((3, True), (None, False)):
        console = FileConsole()
        console.print(screen(model, marked))
        assert ("marker (3)" in console.text()) is shown


def test_a_key_in_a_real_terminal_asks_where_to_go_on(reader, feeder, monkeypatch):
    """A pseudo-terminal stands for the person's; the session goes on while the question stands."""
    import os
    import sys

    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals")
    from subtalar.dashboard.terminal import keys

    ours, theirs = os.openpty()
    with os.fdopen(theirs, "r", encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(keys, "_is_foreground", lambda: True)
        with keys.Keys() as pressed:
            assert pressed.pressed() == ""
            os.write(ours, b"E")
            deadline = time.monotonic() + 10.0
            key = ""
            while not key and time.monotonic() < deadline:
                key = pressed.pressed()
            assert key == ELSEWHERE_KEY
            assert pressed.pressed() == ""
    os.close(ours)


def test_without_a_terminal_there_are_no_keys(monkeypatch):
    import sys

    from subtalar.dashboard.terminal.keys import Keys

    monkeypatch.setattr(sys, "stdin", io.StringIO("e"))
    with Keys() as keys:
        assert keys.pressed() == ""
