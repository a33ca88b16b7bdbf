"""``subtalar analyze`` and ``subtalar session``."""

import json

import click

from subtalar.cli.catalogue import assign, list_sessions, note
from subtalar.cli.catalogue_entries import enter_new_recording, enter_results
from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.missing import missing_package
from subtalar.cli.option_types import SUBTALAR_AXIS_HELP, SubtalarAxisType
from subtalar.cli.protection import decrypt, encrypt, erase_session
from subtalar.cli.whole_help import WholeHelpGroup
from subtalar.errors import SubtalarError


@click.command()
@click.argument("session")
@click.option("--out", "out_dir", required=True, metavar="DIR", help="Folder for the tables and the report.")
@click.option(
    "--subtalar-axis", "axis_deg", type=SubtalarAxisType(), metavar="INCLINATION,DEVIATION", help=SUBTALAR_AXIS_HELP
)
@click.option(
    "--smooth",
    is_flag=True,
    help="For research: angles that look ahead over the whole recording; not what the live session showed. Holds the "
    "recording in memory, about 1 GB an hour and leg.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def analyze(session: str, out_dir: str, *, axis_deg: tuple[float, float] | None, smooth: bool, quiet: bool) -> None:
    """Run the estimator over a SESSION and write angles.csv, strides.csv, summary.json and report.html.

    SESSION is a recording made by subtalar, a raw session folder, a folder of exports of Movella DOT, x-IMU3 or Xsens
    MT Manager, or a folder of tables that an import.toml describes.
    """
    try:
        from subtalar.report.analysis import OUTPUT_FILES
        from subtalar.report.analyze_command import analyze_command
    except ImportError as error:
        raise missing_package(error, "report") from None
    prepare_estimator(quiet=quiet)
    analyze_command(session, out_dir, quiet, subtalar_axis_deg=axis_deg, smooth=smooth)
    enter_results(session, out_dir, OUTPUT_FILES)


@click.group(cls=WholeHelpGroup)
def session() -> None:
    """Look at recordings, check them, and save what a crash left."""


for command in (list_sessions, assign, note, encrypt, decrypt, erase_session):
    session.add_command(command)


@session.command()
@click.argument("session_path", metavar="SESSION")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(session_path: str, *, as_json: bool) -> None:
    """Tell what a SESSION holds: duration, sensors, strides, lost samples."""
    from subtalar.session import session_info

    facts = session_info(session_path)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    from subtalar.session.info_text import info_lines

    for line in info_lines(facts):
        click.echo(line)


@session.command()
@click.argument("file")
@click.option("--out", "out", required=True, metavar="FILE2", help="The new recording; must not exist.")
def recover(file: str, out: str) -> None:
    """Make a clean recording of what can be read from a damaged or unfinished FILE; FILE is not touched."""
    from subtalar.session import recover as recover_recording

    click.echo(recover_recording(file, out).text)
    enter_new_recording(out, file)


@session.command()
@click.argument("session_path", metavar="SESSION")
def verify(session_path: str) -> None:
    """Check every byte of a SESSION. Exit status 0 when it is whole, 1 when it is not."""
    from subtalar.session import verify as verify_session

    report = verify_session(session_path)
    if report.status != "ok":
        raise SubtalarError(report.text)
    click.echo(report.text)
