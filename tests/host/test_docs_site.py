"""The documents as a site, and how to cite the software."""

import subprocess
import sys
from pathlib import Path

import pytest

import subtalar

ROOT = Path(__file__).parents[2]


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: no site to build")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--site-dir",
        str(tmp_path / "site"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = {page.relative_to(tmp_path / "site").as_posix() for page in (tmp_path / "site").rglob("*.html")}
    assert {"index.html", "accuracy/index.html", "api/index.html", "project/contributing/index.html"} <= pages
    assert (tmp_path / "site" / "tutorials" / "first-walk.ipynb").is_file()
    start = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert 'href="project/contributing/"' in start


def test_the_citation_names_this_version() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == subtalar.__version__
    assert citation["authors"]
    assert citation["license"] == "MIT"
