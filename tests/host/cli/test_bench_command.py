"""``subtalar bench`` with the development package of the checkout, and without it."""

import importlib.util
from typing import Any

import pytest
from click.testing import CliRunner

from subtalar.cli import cli
from subtalar.cli.bench import DEVELOPMENT

EVERYWHERE = {"all", "estimator", "memory", "latency"}


@pytest.fixture
def without_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def find(name: str, *more: Any) -> Any:
        return None if name == DEVELOPMENT else found(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", find)


def names_in_help() -> set[str]:
    done = CliRunner().invoke(cli, ["bench", "--help"])
    assert done.exit_code == 0
    lines = done.output.partition("Commands:")[2].splitlines()
    return {line.split()[0] for line in lines if line.startswith("  ") and line.strip() and line[2] != " "}


def test_a_checkout_measures_all() -> None:
    assert names_in_help() >= EVERYWHERE | {"accuracy", "peers", "codecs", "radio", "kill", "recorder"}


@pytest.mark.usefixtures("without_checkout")
def test_an_installation_measures_speed() -> None:
    assert names_in_help() == EVERYWHERE


@pytest.mark.usefixtures("without_checkout")
def test_what_comes_with_a_checkout_says_so() -> None:
    done = CliRunner().invoke(cli, ["bench", "accuracy"])
    assert done.exit_code == 2
    assert "comes with a checkout" in done.output
    assert "make bench ARGS=accuracy" in done.output


def test_what_is_nothing_is_refused() -> None:
    done = CliRunner().invoke(cli, ["bench", "nonsense"])
    assert done.exit_code == 2
    assert "No such command 'nonsense'" in done.output


def test_every_name_of_the_checkout_is_known_to_the_sentence() -> None:
    from subtalar.cli.bench import _WITH_A_CHECKOUT
    from subtalar_bench.commands import COMMANDS

    assert {command.name for command in COMMANDS} == set(_WITH_A_CHECKOUT)
