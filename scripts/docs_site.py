"""MkDocs hooks: documents that lie beside docs/ become pages of the site, and links between them lead there.

In a code browser ``../CONTRIBUTING.md`` is right; the site has no folder above its own.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_BESIDE = {
    "README.md": "project/subtalar.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changes.md",
    "tests/vectors/README.md": "project/vectors.md",
    "LICENSE": "project/LICENSE.txt",
}
"""File of the repository -> where it is in the site."""
_HOME = {page: file for file, page in _BESIDE.items()}
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in what lies beside docs/."""
    for file, page in _BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / file).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links as they are in the repository -> as they are in the site."""
    here = page.file.src_uri
    folder = posixpath.dirname(_HOME.get(here, f"docs/{here}"))

    def led(link: re.Match[str]) -> str:
        target, hash_, anchor = link[2].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return link[0]
        file = posixpath.normpath(posixpath.join(folder, target))
        there = _BESIDE.get(file) or file.removeprefix("docs/")
        return f"{link[1]}{posixpath.relpath(there, posixpath.dirname(here) or '.')}{hash_}{anchor}{link[3]}"

    return _LINK.sub(led, markdown)
