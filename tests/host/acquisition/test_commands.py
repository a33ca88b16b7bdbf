"""The list of commands: every one has a text, and a text that is no command is refused in one sentence."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subtalar.acquisition.commands import Command, Mark, RecordTo, SetOwner, Stop, decode, dispatch, encode
from subtalar.errors import InputError

EXAMPLES = (
    Stop(),
    Mark(""),
    Mark("Treppe hinauf\nund hinab"),
    Mark("turn", 12.125),
    Mark("stop\n", -1e-9),
    RecordTo("/media/stick é/Ordner"),
    RecordTo("C:\\data"),
    SetOwner(),
    SetOwner("P017", "week 6", 'Einlage "härt"\n'),
)


class Recorder:
    """Remembers which of its methods were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def stop(self) -> None:
        self.calls.append(("stop", ()))

    def mark(self, *said: object) -> None:
        self.calls.append(("mark", said))

    def record_to(self, *said: object) -> None:
        self.calls.append(("record_to", said))

    def set_owner(self, *said: object) -> None:
        self.calls.append(("set_owner", said))


def test_the_examples_hold_every_command() -> None:
    assert {type(example) for example in EXAMPLES} == set(get_args(Command))


@pytest.mark.parametrize("command", EXAMPLES, ids=repr)
def test_a_command_survives_its_text(command: Command) -> None:
    assert decode(encode(command)) == command


@given(st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_marker_survives_its_text(text: str, time_s: float | None) -> None:
    assert decode(encode(Mark(text, time_s))) == Mark(text, time_s)


def test_the_text_is_what_earlier_versions_wrote() -> None:
    """A window of the version before may still talk to a session."""
    assert encode(Stop()) == "stop\n"
    assert encode(Mark("x")) == "mark\nx"
    assert encode(RecordTo("/media/x")) == "record\n/media/x"
    assert encode(SetOwner("P017", "", "barefoot")) == 'about\n["P017", "", "barefoot"]'


DAMAGED = (
    *("", "\n", "go\n1", "stop \n", "stop\nnow", "Stop\n", "stop stop\n", '["mark", "x"]'),
    *("record\n", "record\n/media/\0", "record here\n/x", "mark soon\nx", "mark nan\nx", "mark inf\nx", "mark 1 2\nx"),
    *("about\n", "about\n[1, 2, 3]", "about\n[true]", 'about\n["a", "b"]', "about\n" + "[" * 4000),
)


@pytest.mark.parametrize("text", DAMAGED)
def test_what_is_no_command_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        decode(text)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


@given(st.text(max_size=60))
def test_any_text_is_a_command_or_refused(text: str) -> None:
    try:
        command = decode(text)
    except InputError:
        return
    assert decode(encode(command)) == command


@pytest.mark.parametrize(
    ("command", "call"),
    [
        (Stop(), ("stop", ())),
        (Mark("x"), ("mark", ("x", None))),
        (Mark("x", 2.5), ("mark", ("x", 2.5))),
        (RecordTo("/x"), ("record_to", ("/x",))),
        (SetOwner("P017", "week 6", "barefoot"), ("set_owner", ("P017", "week 6", "barefoot"))),
    ],
)
def test_each_command_reaches_its_own_method(command: Command, call: tuple[str, tuple[object, ...]]) -> None:
    handler = Recorder()
    dispatch(command, handler)
    assert handler.calls == [call]
