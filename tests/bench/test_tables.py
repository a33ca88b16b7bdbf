"""A figure must read the same in a terminal, in a document and in JSON."""

import json
import math

import pytest

from subtalar.errors import InputError
from subtalar_bench.accuracy.document import fill, places, write_tables
from subtalar_bench.rendering import as_markdown, as_text
from subtalar_bench.table import Column, Table

TABLE = Table(
    "errors",
    "Errors",
    (Column("trial", "trial"), Column("error_deg", "error °", 1), Column("parts_deg", "parts °", 1)),
    (("walk", -0.04, (1.26, math.nan)), ("run", None, (3.0, -4.0))),
)


def test_markdown() -> None:
    assert as_markdown(TABLE).splitlines() == [
        "| trial | error ° | parts ° |",
        "| --- | ---: | ---: |",
        "| walk | 0.0 | 1.3 / – |",
        "| run | – | 3.0 / −4.0 |",
    ]


def test_text_is_aligned() -> None:
    title, _, heading, *rows = as_text(TABLE).splitlines()
    assert title == "Errors"
    assert len({len(line) for line in (heading, *rows)}) == 1


def test_json_has_null_where_there_is_no_number() -> None:
    again = json.loads(json.dumps(TABLE.as_json(), allow_nan=False))
    assert again["rows"] == [
        {"trial": "walk", "error_deg": -0.04, "parts_deg": [1.26, None]},
        {"trial": "run", "error_deg": None, "parts_deg": [3.0, -4.0]},
    ]


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3 cells"):
        Table("errors", "", TABLE.columns, (("walk", 1.0),))


DOCUMENT = """Words.
<!-- table errors -->
old
<!-- /table -->
More words.
<!-- table other -->
kept
<!-- /table -->
"""


def test_only_the_measured_tables_of_a_document_change() -> None:
    filled = fill(DOCUMENT, {"errors": TABLE})
    assert filled == DOCUMENT.replace("old", as_markdown(TABLE))
    assert fill(filled, {"errors": TABLE}) == filled
    assert places(filled) == ["errors", "other"]


def test_writing_says_which_tables_found_a_place(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "page.md"
    path.write_text(DOCUMENT, "utf-8")
    homeless = Table("nowhere", "", (), ())
    assert write_tables(path, [TABLE, homeless]) == {"errors"}
    assert "| walk |" in path.read_text("utf-8")
    with pytest.raises(InputError, match="existing document"):
        write_tables(tmp_path / "absent.md", [TABLE])
