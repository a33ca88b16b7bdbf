"""Groups of commands whose ``--help`` cuts no summary, and how the person started this program."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

_NO_LIMIT = 10_000


class WholeHelpGroup(click.Group):
    """click cuts summaries at the end of their line; here they go on in the next."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The names with the first sentence of each."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_NO_LIMIT)) for name, command in found if command is not None]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def command_line(*arguments: str | os.PathLike[str]) -> str:
    """What to type for these arguments here: ``subtalar …`` where that starts this very program, else its path."""
    return " ".join([_program(), *(_quoted(os.fspath(argument)) for argument in arguments)])


def _program() -> str:
    started = Path(sys.argv[0])
    if os.name == "nt" and not started.exists():
        started = started.with_suffix(".exe")  # which Windows leaves out
    if started.stem != "subtalar" or not started.exists():  # python -c and the like
        return "subtalar"
    ours = os.path.abspath(started)
    found = shutil.which("subtalar")
    if found is not None and os.path.samefile(found, ours):
        return "subtalar"
    below = os.path.relpath(ours) if Path(ours).is_relative_to(Path.cwd()) else ours
    return _quoted(below)


def _quoted(text: str) -> str:
    if os.name != "nt":
        return shlex.quote(text)
    return f'"{text}"' if " " in text else text
