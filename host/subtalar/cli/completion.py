"""``subtalar completion``."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what lets SHELL complete commands and options with the Tab key.

    \b
    bash, in ~/.bashrc:  eval "$(subtalar completion bash)"
    zsh, in ~/.zshrc:    eval "$(subtalar completion zsh)"
    fish:  subtalar completion fish > ~/.config/fish/completions/subtalar.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # of the three that click has
    # Not ``source()``: for bash that starts the shell, to see whether it is a new one.
    made = kind(ctx.find_root().command, {}, "subtalar", "_SUBTALAR_COMPLETE")
    click.echo(made.source_template % made.source_vars())
