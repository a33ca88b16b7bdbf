"""A command as text, for pipes and files: one line with its word (and the time of a marker), then what it says."""

import json
import math
from typing import Final, assert_never

from subtalar.acquisition.commands.command import Command, Mark, RecordTo, SetOwner, Stop
from subtalar.errors import InputError

LONGEST_TEXT: Final = 5000
"""Letters of what a command says; more are cut."""


def encode(command: Command) -> str:
    """The text of a command; ``decode`` is its inverse."""
    match command:
        case Stop():
            return "stop\n"
        case Mark(text, None):
            return f"mark\n{text[:LONGEST_TEXT]}"
        case Mark(text, time_s):
            return f"mark {time_s!r}\n{text[:LONGEST_TEXT]}"
        case RecordTo(place):
            return f"record\n{place[:LONGEST_TEXT]}"
        case SetOwner(participant, visit, condition):
            return f"about\n{json.dumps([participant, visit, condition])[:LONGEST_TEXT]}"
        case _:
            assert_never(command)


def decode(text: str) -> Command:
    """The command of a text. Raises InputError, in one sentence, where it is none or is damaged."""
    head, _, content = text.partition("\n")
    match head.split(" "):
        case ["stop"] if not content:
            return Stop()
        case ["mark"]:
            return Mark(content)
        case ["mark", time]:
            return Mark(content, _time_s(time))
        case ["record"] if content and "\0" not in content:
            return RecordTo(content)
        case ["about"]:
            return SetOwner(*_three_texts(content))
    raise InputError(f"A live session was asked for something that it does not know ({text[:40]!r}).")


def _time_s(text: str) -> float:
    try:
        time_s = float(text)
    except ValueError:
        time_s = math.nan
    if not math.isfinite(time_s):
        raise InputError(f"The time of a marker is no number of seconds ({text[:40]!r}).")
    return time_s


def _three_texts(text: str) -> tuple[str, str, str]:
    try:
        match json.loads(text):
            case [str(participant), str(visit), str(condition)]:
                return participant, visit, condition
    except (ValueError, RecursionError):
        pass
    raise InputError("A participant, a visit and a condition are three texts.")
