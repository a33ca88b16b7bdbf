"""What the documents show of the Python interface is what happens."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import subtalar

ROOT = Path(__file__).parents[3]


def block_of(document: str, containing: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return str(found)


def module_at(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_notebook_runs_and_ends_in_a_figure() -> None:
    names = module_at(ROOT / "docs" / "figures" / "first_walk.py").run()
    over_stance, against = names["figure"].axes
    assert names["good"].rows > 20
    assert len(against.lines) == names["good"].rows + 1
    assert len(over_stance.lines) == 2
    assert np.sqrt(np.mean(names["error"] ** 2)) < 1.0


def test_the_script_of_the_readme_draws_a_walk(
    walk: subtalar.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = block_of("README.md", "plt.savefig")
    assert len(script.strip().splitlines()) <= 10
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    exec(script.replace('subtalar.read("walk.mcap")', "subtalar.read(path)"), {"path": walk.path})
    assert (tmp_path / "walk.png").stat().st_size > 10_000


def test_the_stream_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block_of("docs/api.md", "subtalar.GaitEstimator({"), {})
    assert "Standing still: good" in capsys.readouterr().out


def test_the_page_is_that_of_the_docstrings() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "write_api_page.py"), "--check"]
    before = (ROOT / "docs" / "api.md").read_bytes()
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=120, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert (ROOT / "docs" / "api.md").read_bytes() == before
