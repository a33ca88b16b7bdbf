"""What the first start on a computer needs, said before it is done."""

import click


def announce_preparation() -> None:
    """On stderr."""
    click.echo("Preparing the estimator for this computer: about a minute, only this once.", err=True)


def prepare_estimator(*, quiet: bool = False) -> None:
    """Compile the estimator for this process where this computer has not done so yet.

    Loading it takes seconds: a live session leaves all of this to its measuring process.
    """
    from subtalar.estimation import warm_up, warmed

    if not warmed():
        if not quiet:
            announce_preparation()
        warm_up()
