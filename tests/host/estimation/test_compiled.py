"""What is compiled is compiled before a session starts."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from subtalar.estimation.numerics import compiled
from subtalar.estimation.numerics.compiled import warm_up


def test_everything_declared_is_compiled_by_warming_up() -> None:
    warm_up()
    assert len(compiled._DECLARED) > 20
    assert all(dispatcher.signatures for dispatcher, _ in compiled._DECLARED)


_RUN = """
import sys
sys.path[:0] = eval(sys.argv[2])
from subtalar.session import open_session
from subtalar.estimation import GaitEstimator
from subtalar.estimation.numerics import compiled
session = open_session(sys.argv[1])
for block_s in (0.01, 5.0):
    estimator, strides = GaitEstimator(session.sensors), 0
    for block in session.blocks(block_s):
        strides += len(estimator.push(block).strides)
    estimator = GaitEstimator.restore(estimator.save())
    strides += len(estimator.finish().strides)
    assert strides > 10, strides
print(compiled.surprises())
"""


def test_nothing_is_compiled_in_mid_session(lab: SimpleNamespace, short_walk: Any, short_folder: Path) -> None:
    """In a process of its own: other tests call functions in ways of theirs."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(short_folder), repr(sys.path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_change_in_any_module_voids_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's own rule sees only the file of the function; ours must reach its cache (a private part of Numba)."""
    stamps = {d._cache._cache_file._source_stamp for d, _ in compiled._DECLARED if hasattr(d._cache, "_cache_file")}
    assert stamps == {compiled._SOURCES}


_LOOPS = """
import sys
sys.path[:0] = eval(sys.argv[1])
from subtalar.estimation.numerics import compiled
compiled._DECLARED.clear()
import loops
ready = compiled.warmed()
compiled.warm_up()
print(ready, sum(sum(d.stats.cache_misses.values()) for d, _ in compiled._DECLARED))
"""


def test_a_second_process_compiles_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not what the first one compiled because a function that was declared earlier calls it."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    (tmp_path / "loops.py").write_text(
        "from subtalar.estimation.numerics.compiled import compiled\n"
        "@compiled('(f8[::1],)')\n"
        "def caller(x):\n    return called(x) + 1.0\n"
        "@compiled('(f8[::1],)')\n"
        "def called(x):\n    return x.sum()\n"
    )
    command = [sys.executable, "-c", _LOOPS, repr([str(tmp_path), *sys.path])]
    said = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)]
    assert [(s.stdout.split(), s.stderr) for s in said] == [(["False", "2"], ""), (["True", "0"], "")]
