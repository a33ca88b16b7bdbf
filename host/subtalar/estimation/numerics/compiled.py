"""Loops over rows, compiled to machine code by Numba; without this NumPy's cost per call outweighs the arithmetic.

Compiled functions work row by row with scalars in a fixed order and without fast-math, so a value never depends on how
many neighbours were passed in the same call. Numba keeps the machine code beside the sources, or in the user's cache
folder where those cannot be written (docs/decisions/0014).
"""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

_DECLARED: list[tuple[Any, tuple[Any, ...]]] = []
_OPTIONS = {"fastmath": False, "error_model": "numpy", "no_cfunc_wrapper": True}  # nothing is called from C
_njit: Any = numba.njit
_jitable: Any = numba.extending.register_jitable
_types_of: Any = numba.core.sigutils.normalize_signature
_record_type: Any = numba.from_dtype


def compiled(signature: str, **records: np.dtype[np.void]) -> Callable[[F], F]:
    """A function that is called from Python; ``signature`` in Numba's notation, e.g. ``(f8[:,::1], f8)``.

    Rows with named fields come in as ``compiled("(row[::1], f8)", row=SENSOR_ROW)``. Arguments of other types work
    too, at the price of a further compilation.
    """
    types = _argument_types(signature, records)

    def decorate(function: F) -> F:
        try:
            dispatcher: Any = _njit(cache=True, **_OPTIONS)(function)
            _stamp(dispatcher)
        except RuntimeError:  # no folder can be written: compile anew in each process
            dispatcher = _njit(**_OPTIONS)(function)
        # As types, which is how compiled callers ask: what is kept under the text would be no use to them, nor theirs
        # to anybody who asks by text.
        _DECLARED.append((dispatcher, types))
        return cast(F, dispatcher)

    return decorate


def _argument_types(signature: str, records: dict[str, np.dtype[np.void]]) -> tuple[Any, ...]:
    """The notation is Python over Numba's types, as Numba itself reads it; ``records`` are further names in it."""
    names = {**vars(numba.types), **{name: _record_type(dtype) for name, dtype in records.items()}}
    return cast(tuple[Any, ...], _types_of(eval(signature, {}, names))[0])


def inlined(function: F) -> F:
    """A function that compiled functions call; called from Python it stays Python.

    What Python needs in order to call compiled code takes long to compile itself.
    """
    return cast(F, _jitable(**_OPTIONS)(function))


def warm_up(progress: Callable[[int, int], None] | None = None) -> None:
    """Compile everything that is not compiled yet, or load it; later calls return at once.

    ``progress`` is told after each function how many of how many are ready.
    """
    waiting = [(d, types) for d, types in _DECLARED if _is_compilable(d) and types not in d.signatures]
    patience = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)  # the compiler keeps what it makes: looking for rubbish costs a twentieth
    try:
        for number, (dispatcher, types) in enumerate(waiting, start=1):
            dispatcher.compile(types)
            if progress is not None:
                progress(number, len(waiting))
    finally:
        gc.set_threshold(*patience)
    if waiting:
        # The compiler leaves half a million objects that live as long as the process; were the garbage collector to
        # walk through them, it would hold up a live session for several milliseconds again and again.
        gc.collect()
        gc.freeze()


def warmed() -> bool:
    """Whether everything is compiled, here or in the folder where it is kept; if not, ``warm_up`` takes a minute."""
    return all(_is_kept(d, types) for d, types in _DECLARED if _is_compilable(d))


def _is_compilable(dispatcher: Any) -> bool:
    return isinstance(dispatcher, numba.core.dispatcher.Dispatcher)  # and no plain function, as with NUMBA_DISABLE_JIT


def _is_kept(dispatcher: Any, types: tuple[Any, ...]) -> bool:
    """Numba's index of what it keeps is private: where it cannot be asked, nothing counts as kept."""
    file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if types in dispatcher.signatures or file is None:
        return types in dispatcher.signatures
    machine = dispatcher.targetctx.codegen().magic_tuple()
    return any(key[:2] == (types, machine) for key in file._load_index())


def surprises() -> list[str]:
    """Functions that met other types than declared and had to be compiled while in use; empty unless there is a flaw.

    For tests: such a compilation would hold up a live session.
    """
    return [f"{d.py_func.__module__}.{d.py_func.__name__}: {d.signatures}" for d, _ in _DECLARED if _twice(d)]


def _twice(dispatcher: Any) -> bool:
    # Compiled callers may ask for a version with a constant argument, at their own compilation.
    return len([s for s in getattr(dispatcher, "signatures", ()) if "Literal" not in str(s)]) > 1


def _stamp(dispatcher: Any) -> None:
    """Let a change in any module of this package void what was kept.

    Numba looks at the file of the function alone, and would go on using helpers inlined from an older file.
    """
    file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = _SOURCES


def _state_of_sources() -> tuple[float, int]:
    states = [path.stat() for path in Path(__file__).parents[1].rglob("*.py")]
    return max(s.st_mtime for s in states), sum(s.st_size for s in states)


_SOURCES = _state_of_sources()
