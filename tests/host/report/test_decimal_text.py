"""Numbers as text, many at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from subtalar.report.decimal_text import csv_rows, decimal_text, word_table


def lines(text: np.ndarray) -> list[str]:
    return [bytes(row[row != 0]).decode("ascii") for row in text]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.0, 3, "0.000"),
        (-0.0, 3, "0.000"),
        (-0.0004, 3, "0.000"),
        (-0.5, 3, "-0.500"),
        (12.3456, 3, "12.346"),
        (-12.3456, 2, "-12.35"),
        (1000000.0, 1, "1000000.0"),
        (9.9996, 3, "10.000"),
        (7.0, 0, "7"),
        (-107.0, 0, "-107"),
        (1788000000.12345, 5, "1788000000.12345"),
        (float("nan"), 3, ""),
        (float("inf"), 3, ""),
        (float("-inf"), 3, ""),
    ],
)
def test_one_value(value: float, decimals: int, text: str) -> None:
    assert lines(decimal_text(np.array([value]), decimals)) == [text]


@given(arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e6, 1e6) | st.just(float("nan"))), st.integers(0, 6))
def test_any_values_read_back_to_half_a_digit(values: np.ndarray, decimals: int) -> None:
    told = lines(decimal_text(values, decimals))
    assert len(told) == len(values)
    for value, text in zip(values, told, strict=True):
        if np.isnan(value):
            assert text == ""
        else:
            assert abs(float(text) - value) <= 0.5000001 * 10.0**-decimals
            assert len(text.partition(".")[2]) == decimals
            assert not text.lstrip("-").startswith("0") or text.lstrip("-").partition(".")[0] == "0"
            assert float(text) != 0 or not text.startswith("-")


def test_a_value_that_cannot_be_exact_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        decimal_text(np.array([1e300]), 3)


def test_columns_become_lines() -> None:
    numbers = decimal_text(np.array([1.0, np.nan]), 1)
    words = word_table(["ok", "no_data"])[[1, 0]]
    assert csv_rows([numbers, words]) == b"1.0,no_data\n,ok\n"
