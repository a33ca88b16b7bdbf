"""``subtalar bench kill | recorder | damage``: recordings under force."""

import json
from collections.abc import Sequence

import click

from subtalar.cli.preparing import prepare_estimator
from subtalar.errors import SubtalarError

RECORDING_BENCHES = ("kill", "recorder", "damage")
_LIVE_S = 60.0


def bench_recording(name: str, n: int, seed: int, minutes: float, *, as_json: bool) -> None:
    """Run one of them. Raises SubtalarError where a recording did not come back as it should."""
    from subtalar.bench import Result, render
    from subtalar.cli.simulation import simulated

    prepare_estimator()
    results: list[Result]
    wrong: Sequence[object] = ()
    if name == "kill":
        from subtalar.bench.kills import Kill, kills

        def tell(kill: Kill) -> None:
            if kill.problem or not as_json:
                click.echo(f"{kill.what} killed after {kill.after_s:.1f} s: {kill.problem or kill.lost_s}", err=True)

        results, wrong = kills(simulated, n, seed, tell)
    elif name == "damage":
        from subtalar.bench.damage import damage

        results, wrong = damage(simulated, n, seed, _LIVE_S * minutes)
        for trial in wrong:
            click.echo(str(trial), err=True)
    else:
        from subtalar.bench.recording import recorder

        results = recorder(simulated, _LIVE_S * minutes)
    click.echo(json.dumps([r.as_json() for r in results], indent=2) if as_json else render(results))
    if wrong:
        raise SubtalarError(f"{len(wrong)} trials went wrong.")
