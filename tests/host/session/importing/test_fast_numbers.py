"""The fast reader gives the bits of the slow one, or nothing."""

import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from subtalar.session.importing.fast_numbers import plain_numbers

PLAIN = st.from_regex(r"[+-]?([0-9]{1,8}(\.[0-9]{0,7})?|\.[0-9]{1,15})", fullmatch=True)
CELLS = PLAIN | st.sampled_from(["", "nan", "1e5", '"1"', " 2", "3 ", "1.2.3", "-", "x", "1" * 16, "1\r", "\t1"])


def slow(text: str, delimiter: str, wanted: list[int]) -> np.ndarray:
    file = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    return np.loadtxt(file, delimiter=delimiter, usecols=wanted, comments=None, quotechar='"', ndmin=2)


def same_bits(fast: np.ndarray, other: np.ndarray) -> bool:
    return fast.shape == other.shape and fast.tobytes() == np.ascontiguousarray(other).tobytes()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(PLAIN, st.text("abc 1", max_size=3), PLAIN, PLAIN), min_size=1, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    last=st.booleans(),
    wanted=st.permutations([0, 2, 3]).flatmap(lambda p: st.integers(1, 3).map(lambda n: list(p[:n]))),
)
def test_plain_numbers_are_read_to_the_last_bit(rows, delimiter, end, last, wanted):
    text = end.join(delimiter.join(row) for row in rows) + (end if last else "")
    fast = plain_numbers(text.encode(), delimiter, wanted)
    assert fast is not None
    assert same_bits(fast, slow(text, delimiter, wanted))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5))
@example(rows=[["1\r", "2"]])
@example(rows=[["-0.000", "1"]])
def test_what_is_not_plain_is_left_alone(rows):
    """Where the fast reader gives numbers, the slow one gives the same: it never reads what the other refuses."""
    text = "\n".join(",".join(row) for row in rows)
    fast = plain_numbers(text.encode(), ",", [0])
    if fast is not None and len(fast):
        assert same_bits(fast, slow(text, ",", [0]))


@pytest.mark.parametrize("cell", ["0.1", "123456.654321", "999999999999999", "-.5", "5.", "+7", "0.00000000000001"])
def test_the_nearest_double(cell):
    found = plain_numbers(cell.encode(), ",", [0])
    assert found is not None
    assert found[0, 0] == float(cell)
