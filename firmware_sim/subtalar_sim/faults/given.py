"""Faults as a person gives them on a command line: written out, or the names of files in which they are."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from subtalar_sim.faults.script import fault_words, names_a_fault, parse_faults, shown

_LARGEST_BYTES: Final = 1 << 20
_LONGEST_NAME: Final = 255


def script_of(given: Iterable[str]) -> str:
    """The one script that these are together. Raises ValueError with one sentence on what makes no sense."""
    text = "\n".join(_script(each) for each in given)
    parse_faults(text)  # what is given twice
    return text


def _script(given: str) -> str:
    name = shown(given, _LONGEST_NAME)
    # os.path says no where pathlib raises an error: a script may be longer than any file's name.
    if os.path.isfile(given):
        text = _read(given)
        try:
            parse_faults(text)
        except ValueError as error:
            raise ValueError(f"in the file {name}, {error}") from None
        return text
    if os.path.isdir(given):
        raise ValueError(f"{name} is a folder: name a file of faults in it")
    if os.path.exists(given):
        raise ValueError(f"{name} is neither a fault nor a file of faults: copy the faults into a file")
    if _is_meant_as_a_file(given):
        raise ValueError(
            f"there is neither a file {name} nor such a fault: check the name, or write a fault as in drop_link@30s+5s"
        )
    if not names_a_fault(given):
        raise ValueError(
            f"no fault is named in {shown(given)}: write one as in drop_link@30s+5s, or leave the option out"
        )
    parse_faults(given)
    return given


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file {path!r} cannot be read ({error.strerror}): check who may read it") from None
    try:
        text = data.decode("utf-8-sig")  # Windows puts a mark in front
    except UnicodeDecodeError:
        text = "\0"
    if len(data) > _LARGEST_BYTES or "\0" in text:
        raise ValueError(f"the file {path!r} is no list of faults: name a text file, saved as UTF-8")
    return text


def _is_meant_as_a_file(given: str) -> bool:
    """Whether this cannot be a fault, but may be the name of a file: no fault has a slash or a dot before its value."""
    before = re.split("[=@#]", given, maxsplit=1)[0]
    is_one_word = before == given and not re.search(r"[\s,:]", given)
    return bool(re.search(r"[/\\.]", before)) or (is_one_word and bool(given) and given not in fault_words())
