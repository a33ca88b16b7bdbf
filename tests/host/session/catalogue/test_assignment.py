"""Codes and labels: what is taken, and the one sentence for what looks like a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subtalar.errors import InputError
from subtalar.session.catalogue import Assignment, checked_assignment, checked_code, checked_height, checked_label
from subtalar.session.catalogue.assignment import assignment_from_json, assignment_in


@pytest.mark.parametrize("code", ["P017", "sub-01", "A1", "7", "KNIE_2026_003", "x" * 31 + "1"])
def test_codes(code):
    assert checked_code(f" {code} ") == code.upper()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("Anna Meier", "a name"),
        ("Meier", "a name"),
        ("anna.meier@klinik.example", "e-mail"),
        ("1985-03-12", "birth"),
        ("12031985", "birth"),
        ("P017;DROP", "no code"),
        ("../P1", "no code"),
        ("-P1", "no code"),
        ("Jürg1", "no code"),
        ("x" * 32 + "1", "no code"),
        ("com1", "Windows"),
        ("", "no code"),
    ],
)
def test_what_is_no_code(code, word):
    with pytest.raises(InputError, match=word) as refused:
        checked_code(code)
    assert "such as P017" in str(refused.value)


@given(st.text(max_size=40))
def test_a_code_is_always_a_safe_file_name(text):
    try:
        code = checked_code(text)
    except InputError:
        return
    assert code.isascii()
    assert not set(code) & set('/\\:*?"<>|. ')
    assert checked_code(code) == code


def test_labels():
    assert checked_label("condition", "  Einlage härt, 3° medial ") == "Einlage härt, 3° medial"
    assert checked_label("condition", "e\u0301") == "é"
    for bad in ("", "  ", "a" * 61, "a\nb", "a\x1b[31m", "ask anna@klinik.example"):
        with pytest.raises(InputError, match="condition"):
            checked_label("condition", bad)


def test_height():
    assert checked_height(1.75) == 1.75
    with pytest.raises(InputError, match=r"in cm.*1\.75"):
        checked_height(175)
    for bad in (0, -1, 9, float("nan")):
        with pytest.raises(InputError, match="cannot be"):
            checked_height(bad)


def test_a_visit_needs_somebody():
    with pytest.raises(InputError, match="code of the participant"):
        checked_assignment(None, "baseline", "barefoot")
    assert checked_assignment("p1", "baseline", None) == Assignment("P1", "baseline", "")


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.dictionaries(st.text(), s)))
def test_whatever_a_file_says_is_an_about(said):
    assert isinstance(assignment_from_json(said), Assignment)
    assert isinstance(assignment_in({"about": {"participant": said, "visit": said}}), Assignment)
