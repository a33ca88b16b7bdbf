"""Links: small files that tell of sessions elsewhere, and of files that were made from sessions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from subtalar.errors import InputError
from subtalar.session.catalogue.facts import SessionFacts, facts_from_json, facts_of
from subtalar.session.catalogue.layout import LINKS, link_path, session_key
from subtalar.session.catalogue.sidecar_files import private_folder, read_json, write_json
from subtalar.session.model import Session

_SESSION: Final = "session"
_RESULTS: Final = "results"


@dataclass(frozen=True)
class Link:
    """A session elsewhere, or files that were made from one: names in ``folder``, where ``file_list`` lists them."""

    file: Path
    kind: str
    session: str
    facts: SessionFacts
    folder: str
    files: tuple[str, ...]
    file_list: str = ""


def read_links(folder: Path) -> Iterator[Link | str]:
    """Every link; a sentence for one that cannot be read."""
    for file in sorted((folder / LINKS).glob("*.json")):
        try:
            stored = read_json(file) or {}
        except InputError as error:
            yield str(error)
            continue
        names = stored.get("files", ())
        yield Link(
            file,
            str(stored.get("kind", "")),
            str(stored.get("session", "")),
            facts_from_json(stored.get("facts")),
            str(stored.get("folder", "")),
            tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else (),
            str(stored.get("register", "")),
        )


def session_links(links: Iterable[Link | str]) -> dict[str, Link]:
    """Those to sessions, by their key."""
    return {link.session: link for link in links if isinstance(link, Link) and link.kind == _SESSION and link.session}


def result_links(links: Iterable[Link | str], session: str) -> list[Link]:
    """Those to files made from a session."""
    return [link for link in links if isinstance(link, Link) and link.kind == _RESULTS and link.session == session]


def link_session(folder: Path, path: Path, session: Session | None = None) -> str:
    """Make sure that a session is found again, wherever it is; returns its key.

    A recording below the recordings folder is found by itself. ``session``: the same, where it has been opened.
    Raises InputError.
    """
    key = session_key(folder, path)
    if Path(key).is_absolute() or path.is_dir():
        facts = SessionFacts() if session is None else facts_of(session)
        write_link(folder, _SESSION, key, {"session": key, "facts": facts.as_json()})
    return key


def link_files(folder: Path, key: str, target: str, names: set[str], file_list: str) -> None:
    """Link files of the folder ``target`` to the session that they were made from; see ``session_files.link_results``.

    Raises InputError.
    """
    for link in read_links(folder):
        if isinstance(link, Link) and link.kind == _RESULTS and link.folder == target:
            if link.session == key:
                names = names | set(link.files)
            elif names & set(link.files):
                _write_results(folder, link.session, target, set(link.files) - names, link.file_list)
    _write_results(folder, key, target, names, file_list)


def _write_results(folder: Path, session: str, target: str, names: set[str], file_list: str) -> None:
    content: dict[str, Any] = {"session": session, "folder": target, "files": sorted(names), "register": file_list}
    write_link(folder, _RESULTS, f"{session}\n{target}", content)


def session_link_path(folder: Path, path: Path) -> Path:
    """Where the link to this session stands, if there is one."""
    return link_path(folder, _SESSION, session_key(folder, path))


def is_linked(folder: Path, path: Path) -> bool:
    """Whether there is a link to this session."""
    return session_link_path(folder, path).exists()


def write_link(folder: Path, kind: str, target: str, content: dict[str, Any]) -> None:
    """Replace the link of that kind to that target. Raises InputError."""
    file = link_path(folder, kind, target)
    private_folder(folder)
    private_folder(file.parent)
    write_json(file, {"kind": kind, **content})
