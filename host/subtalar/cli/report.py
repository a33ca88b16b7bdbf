"""``subtalar report``: from a session to the page in the browser."""

import os
from pathlib import Path

import click

import subtalar
from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.missing import missing_package
from subtalar.cli.places import has_desktop
from subtalar.cli.whole_help import command_line
from subtalar.errors import InputError

_SUFFIX = ".report"
"""A folder whose name continues the session's is erased with it."""


@click.command()
@click.argument("session_path", metavar="[SESSION]", required=False)
def report(session_path: str | None) -> None:
    """Open the report of a SESSION, or of the newest recording, in the browser.

    It is made where there is none yet, in the folder SESSION.report beside it; for another folder, or other options,
    use `subtalar analyze`.
    """
    path = _newest() if session_path is None else Path(session_path).expanduser().absolute()
    try:
        from subtalar.report.analysis import REPORT_FILE
        from subtalar.report.analyze_command import analyze_command
        from subtalar.session import open_session
    except ImportError as error:
        raise missing_package(error, "report") from None
    out = path.with_name(path.name + _SUFFIX)
    page = out / REPORT_FILE
    if _is_of_today(page, path):
        click.echo(f"Report: {page}")
    else:
        if not path.exists():
            open_session(path)  # says what is wrong with it, before anything takes time
        if not os.access(out if out.exists() else path.parent, os.W_OK):
            line = command_line("analyze", path, "--out")
            raise InputError(f"The report cannot be written beside {path.name}: choose a folder with `{line} DIR`.")
        prepare_estimator()
        analyze_command(path, out)
    if not _shown(page):
        click.echo("There is no browser here: open that file with one.", err=True)


def _newest() -> Path:
    from subtalar.session.catalogue import open_catalogue

    with open_catalogue() as catalogue:
        paths = [row.path for row in catalogue.sessions() if row.state in ("closed", "salvaged") and row.path.exists()]
        if not paths:
            raise InputError(f"There is no recording in {catalogue.folder}: name the session to report on.")
    return paths[-1]


def _is_of_today(page: Path, session: Path) -> bool:
    """Whether the page is newer than the session, what is said beside it, and this program."""
    from subtalar.session.catalogue.layout import SIDECAR_SUFFIX, companion_path

    inside = session.iterdir() if session.is_dir() else ()
    sources = [session, *inside, companion_path(session, SIDECAR_SUFFIX), Path(subtalar.__file__)]
    try:
        made = page.stat().st_mtime
        return session.exists() and all(made > source.stat().st_mtime for source in sources if source.exists())
    except OSError:
        return False


def _shown(page: Path) -> bool:
    import webbrowser

    if not has_desktop() and "BROWSER" not in os.environ:
        return False  # a browser for the terminal would take it over, and draw no figure
    try:
        return webbrowser.open(page.as_uri())
    except (webbrowser.Error, OSError):
        return False
