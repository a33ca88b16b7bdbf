"""``subtalar bench accuracy`` and ``peers``: errors against truth."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from subtalar.cli.estimator_setup import prepare_estimator
from subtalar.cli.output import json_option

if TYPE_CHECKING:
    from subtalar_bench.table import Table

_data = click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("../shared/data"),
    show_default=True,
    help="Folder of recordings with truth.",
)
_write = click.option(
    "--write",
    "documents",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Put the figures into this document as well; may be repeated.",
)


@click.command()
@_data
@_write
@click.option("--only", multiple=True, metavar="NAME", help="Measure only this part; may be repeated.")
@json_option
def accuracy(*, data: Path, documents: tuple[Path, ...], only: tuple[str, ...], as_json: bool) -> None:
    """Angles, strides and uncertainty against truth trials and real recordings."""
    from subtalar_bench.accuracy import MEASUREMENTS, measure

    unknown = [n for n in only if n not in MEASUREMENTS]
    if unknown:
        raise click.UsageError(f"--only knows {', '.join(MEASUREMENTS)}, not {unknown[0]}.")
    prepare_estimator()
    _tell(measure(data, only), documents, as_json=as_json)


@click.command()
@_data
@_write
@json_option
def peers(*, data: Path, documents: tuple[Path, ...], as_json: bool) -> None:
    """Other software beside ours, on the same recordings."""
    from subtalar_bench.peers import measure

    prepare_estimator()
    _tell(measure(data), documents, as_json=as_json)


def _tell(measured: "Iterable[Table]", documents: tuple[Path, ...], *, as_json: bool) -> None:
    from subtalar_bench.accuracy import write_tables
    from subtalar_bench.rendering import as_text

    tables = []
    for table in measured:
        tables.append(table)
        if not as_json:
            click.echo(as_text(table) + "\n")
    if as_json:
        click.echo(json.dumps([t.as_json() for t in tables], indent=2))
    placed = set().union(*(write_tables(document, tables) for document in documents))
    homeless = [t.key for t in tables if t.key not in placed]
    if documents and homeless:
        click.echo(f"No document has a place for {', '.join(homeless)}: <!-- table NAME --> marks one.", err=True)
