"""Writes docs/api.md from the docstrings of the Python interface: python scripts/write_api_page.py [--check]."""

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import subtalar

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
HEAD = """# The Python interface

Made from the docstrings by `scripts/write_api_page.py`. `import subtalar` is instant; each name is loaded when it is
first used. Everything here is covered by the promise of [semantic versions](https://semver.org/): names, arguments,
units and columns stay as long as the first number of the version does. Errors are `subtalar.SubtalarError`, whose text
is one sentence. A walk from simulated sensors to a figure: [the first tutorial](tutorials/first-walk.ipynb).

## A stream of your own

```python
import numpy as np
import subtalar

foot, shank = subtalar.BodySite.RIGHT_FOOT, subtalar.BodySite.RIGHT_SHANK
estimator = subtalar.GaitEstimator({site: subtalar.SensorInfo(site, rate_hz=100.0) for site in (foot, shank)})
for second in range(5):  # whatever your sensors deliver, in blocks of any size
    t = second + np.arange(100) / 100.0
    acc, gyr = np.tile([0.0, 0.0, 9.81], (100, 1)), np.zeros((100, 3))
    for site in (foot, shank):
        found = estimator.push(subtalar.SampleBlock(site, t, t + 0.02, acc, gyr))
        for block in found.angles:  # subtalar.AngleBlock: one row a sample, NaN until it is calibrated
            print(block.side, block.time_s[-1], block.ankle_deg[-1])
        for notice in found.notices:  # what the person at the screen should know
            print(notice.text)
last = estimator.finish()  # what was still held back
```
"""
FUNCTIONS = ("read", "analyze", "simulate", "export")
CLASSES = (
    *("Session", "Analysis", "Table", "Trial"),
    *("GaitEstimator", "SensorInfo", "SampleBlock", "BodySite", "Estimates", "AngleBlock"),
)
_MADE_BY_OTHERS = ("Session", "Analysis", "Trial", "BodySite", "Estimates", "AngleBlock")
OTHERS = ("Parameters", "SubtalarError")
_SHOWN_OPERATORS = ("__getitem__",)


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## Functions"]
    parts += [_described(f"subtalar.{name}", getattr(subtalar, name)) for name in FUNCTIONS]
    for name in CLASSES:
        parts.append(_class(name, getattr(subtalar, name)))
    parts.append("## Others")
    parts += [f"### subtalar.{name}\n\n{_doc(getattr(subtalar, name))}" for name in OTHERS]
    return "\n\n".join(parts) + "\n"


def _class(name: str, kind: Any) -> str:
    parts = [f"## subtalar.{name}", _doc(kind)]
    if name not in _MADE_BY_OTHERS:
        parts.insert(1, _code(name, kind if dataclasses.is_dataclass(kind) else kind.__init__))
    for member, value in vars(kind).items():
        hidden = member.startswith("_") and member not in _SHOWN_OPERATORS
        if hidden or not _doc(value):
            continue
        if isinstance(value, property):
            parts.append(f"### {name}.{member}\n\n{_doc(value)}")
        elif isinstance(value, classmethod | staticmethod) or inspect.isfunction(value):
            parts.append(_described(f"{name}.{member}", getattr(kind, member)))
    return "\n\n".join(parts)


def _described(name: str, value: Any) -> str:
    return f"### {name}\n\n{_code(name, value)}\n\n{_doc(value)}"


def _code(name: str, value: Any) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    if isinstance(tree, ast.ClassDef):  # a dataclass: its fields are its arguments
        arguments = [ast.unparse(line) for line in tree.body if isinstance(line, ast.AnnAssign)]
        return f"```python\n{name}({', '.join(arguments)})\n```"
    assert isinstance(tree, ast.FunctionDef)
    tree.args.args = [a for a in tree.args.args if a.arg not in ("self", "cls")]
    for argument in (*tree.args.args, *tree.args.kwonlyargs):
        argument.annotation = _unquoted(argument.annotation)
    returns = _unquoted(tree.returns)
    told = "" if returns is None or tree.name == "__init__" else f" -> {ast.unparse(returns)}"
    return f"```python\n{name}({ast.unparse(tree.args)}){told}\n```"


def _unquoted(annotation: ast.expr | None) -> ast.expr | None:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def _doc(value: Any) -> str:
    text = inspect.getdoc(value) or ""
    return re.sub(r"``([^`]+)``", r"`\1`", text)


if __name__ == "__main__":
    if "--check" in sys.argv[1:] and PAGE.read_text("utf-8") != page():
        sys.exit(f"{PAGE.name} is older than the docstrings: run scripts/write_api_page.py.")
    PAGE.write_text(page(), "utf-8")
