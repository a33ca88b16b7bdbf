"""``subtalar session compare``. Added to the group by ``subtalar.cli``."""

import json

import click

from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.missing import missing_package
from subtalar.cli.option_types import SUBTALAR_AXIS_HELP, SubtalarAxisType


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="[B]", required=False)
@click.option(
    "--subtalar-axis", "axis_deg", type=SubtalarAxisType(), metavar="INCLINATION,DEVIATION", help=SUBTALAR_AXIS_HELP
)
@click.option("--strides", "each_stride", is_flag=True, help="Print the differences of every stride.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every stride.")
def compare(a: str, b: str | None, *, axis_deg: tuple[float, float] | None, each_stride: bool, as_json: bool) -> None:
    """Say what differs between A and B, and by how much: versions, parameters, angles, and stride by stride.

    A and B are recordings, of which the angles that were shown live are taken, or folders that `subtalar analyze`
    wrote. Without B, the recording A is analysed again now and compared with what it holds; with the subtalar axis
    given by --subtalar-axis where that is wanted.
    """
    if b is not None and axis_deg is not None:
        raise click.UsageError("--subtalar-axis belongs to an analysis now: leave out B")
    try:
        from subtalar.report.comparison import analyze_now, compare_results, read_result_set
        from subtalar.report.comparison.text import comparison_json, comparison_lines
    except ImportError as error:
        raise missing_package(error, "report") from None
    first = read_result_set(a)
    if b is not None:
        second = read_result_set(b)
    else:
        from subtalar.estimation.parameters import Parameters, SubtalarAxis
        from subtalar.session import open_session

        session = open_session(a, cached=True)
        prepare_estimator(quiet=as_json)
        axis = SubtalarAxis() if axis_deg is None else SubtalarAxis(*axis_deg)
        second = analyze_now(session, Parameters(subtalar_axis=axis))
    found = compare_results(first, second)
    if as_json:
        click.echo(json.dumps(comparison_json(found), indent=1))
        return
    for line in comparison_lines(found, each_stride=each_stride):
        click.echo(line)
