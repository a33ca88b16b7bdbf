"""docs/images/first-walk.png: the figure of the first tutorial, by running it."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

DOCS = Path(__file__).parents[1]
NOTEBOOK = DOCS / "tutorials" / "first-walk.ipynb"


def run(notebook: Path = NOTEBOOK) -> dict[str, Any]:
    """Execute the code cells of a notebook one after the other; the names that they leave."""
    mpl.use("Agg")
    names: dict[str, Any] = {}
    for number, cell in enumerate(json.loads(notebook.read_text("utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), names)
    return names


if __name__ == "__main__":
    run()["figure"].savefig(DOCS / "images" / "first-walk.png", dpi=110)
