"""One simulated walk, and what is measured in it."""

import pytest

import subtalar


@pytest.fixture(scope="session")
def walk() -> subtalar.Session:
    return subtalar.simulate(45.0, seed=4, style="overpronated")


@pytest.fixture(scope="session")
def found(walk: subtalar.Session) -> subtalar.Analysis:
    return subtalar.analyze(walk)
