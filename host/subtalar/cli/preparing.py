"""What the first start on a computer needs, said before it is done."""

import click


def prepare_estimator(*, quiet: bool = False) -> None:
    """Compile the estimator where this computer has not done so yet; never in the middle of a session."""
    from subtalar.estimation import warm_up, warmed

    if not warmed():
        if not quiet:
            click.echo("Preparing the estimator for this computer: about a minute, only this once.", err=True)
        warm_up()
