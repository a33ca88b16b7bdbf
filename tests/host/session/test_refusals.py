"""What cannot be used is refused in one sentence that says what is wrong and what to do."""

import gzip
import json
import re

import numpy as np
import pytest

from subtalar.errors import InputError
from subtalar.session import open_session


def refusal(path) -> str:
    with pytest.raises(InputError) as caught:
        open_session(path)
    text = str(caught.value)
    assert "\n" not in text
    assert re.search(r"[.?]$", text), text
    assert ":" in text or ";" in text or "?" in text, f"says what is wrong but not what to do: {text}"
    return text


def test_no_such_path(tmp_path):
    assert "There is no" in refusal(tmp_path / "nothing")


def test_a_link_to_itself(tmp_path):
    (tmp_path / "walk").symlink_to(tmp_path / "walk")
    assert "is a link that leads nowhere" in refusal(tmp_path / "walk")


def test_empty_folder(tmp_path):
    assert "empty folder" in refusal(tmp_path)


def test_folder_of_something_else(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear colleague")
    assert "has no session.json" in refusal(tmp_path)


def test_folder_of_recordings(tmp_path):
    (tmp_path / "a.mcap").write_bytes(b"")
    assert "name one of them, such as a.mcap" in refusal(tmp_path)


def test_empty_file(tmp_path):
    (tmp_path / "a.mcap").write_bytes(b"")
    assert "empty file" in refusal(tmp_path / "a.mcap")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.mcap", b"not an mcap file", "does not begin like one"),
        ("photo.jpg", b"\xff\xd8\xff", "is not a session"),
        ("cut.mcap", b"\x89MCAP0\r\n", "not a recording made by subtalar"),
        ("noise.mcap", b"\x89MCAP0\r\n" + bytes(range(256)) * 4, "not a recording made by subtalar"),
    ],
)
def test_file_of_something_else(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        open_session(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON (line 1"),
        (b"\xff\xfe\x00\x01\x02", "not valid JSON"),
        (b"[]", "JSON object"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"version": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"{}", '"format" must be'),
        (b'{"format": "subtalar-raw-session"}', '"version" must be 1'),
        (b'{"format": "subtalar-raw-session", "version": 2, "sensors": {}}', "update subtalar"),
        (b'{"format": "subtalar-raw-session", "version": 1}', '"sensors" must be'),
        (b'{"format": "subtalar-raw-session", "version": 1, "sensors": {}}', "neither a foot nor a shank"),
        (b'{"format": "subtalar-raw-session", "version": 1, "sensors": {"right_foot": {}}}', 'must name its "file"'),
        (
            b'{"format": "subtalar-raw-session", "version": 1, "sensors": '
            b'{"right_foot": {"file": "x.csv", "rate_hz": 9}}}',
            "no such file",
        ),
    ],
)
def test_session_json_is_wrong(tmp_path, content, words):
    (tmp_path / "session.json").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(words)):
        open_session(tmp_path)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"left_hand": {"file": "right_foot.csv", "rate_hz": 100}}, 'unknown sensor "left_hand"'),
        ({"right_foot": {"file": "right_foot.csv"}}, '"rate_hz" of right_foot must be a number above zero, not null'),
        ({"right_foot": {"file": "right_foot.csv", "rate_hz": "fast"}}, 'must be a number above zero, not "fast"'),
        ({"right_foot": {"file": "right_foot.csv", "rate_hz": 10**400}}, "must be a number above zero, not 1000"),
        ({"right_foot": {"file": "right_foot.csv", "rate_hz": 1e308}}, "must be a number above zero, not 1e+308"),
        ({"right_foot": {"file": "right_foot.csv", "rate_hz": 100, "model": ["WT"]}}, '"model" of right_foot must be'),
        (
            {"right_foot": {"file": "right_foot.csv", "rate_hz": 50}},
            "given as 50 Hz but device_time_s advances like 100",
        ),
        (
            {s: {"file": "right_foot.csv", "rate_hz": 100} for s in ("right_foot", "left_foot")},
            "name the same file right_foot.csv",
        ),
    ],
)
def test_sensor_entry_is_wrong(raw_folder, entry, words):
    assert words in refusal(raw_folder(spec={"sensors": entry}))


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({}, "must be a list"),
        ([{"label": "standing"}], 'annotation 1 needs "label", "start_s" and "end_s"'),
        ([{"label": "standing", "start_s": 3, "end_s": 1}], "annotation 1 must have a text as label and end after"),
        ([{"label": "standing", "start_s": 3, "end_s": float("inf")}], "annotation 1 must have a text as label"),
        ([{"label": "standing", "start_s": 3, "end_s": 10**400}], 'annotation 1 needs "label"'),
    ],
)
def test_annotations_are_wrong(raw_folder, annotations, words):
    assert words in refusal(raw_folder(spec={"annotations": annotations})).replace("\\", "")


@pytest.mark.parametrize("start", ["yesterday", 5, "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_start_that_is_no_date(raw_folder, start):
    assert '"start_utc" must look like' in refusal(raw_folder(spec={"start_utc": start}))


def with_bad_cells(make, cell: str, lines_from: int, count: int) -> str:
    lines = make.csv(make.rows()).splitlines()
    for k in range(lines_from - 1, lines_from - 1 + count):
        cells = lines[k].split(",")
        cells[3] = cell
        lines[k] = ",".join(cells)
    return "\n".join(lines)


BAD_CELLS = ["nan", "inf", "", "abc", "1.5.2", "1_0", "\u0663", "1\0"]


@pytest.mark.parametrize("cell", BAD_CELLS)
def test_too_many_bad_cells_are_named_by_line_and_column(raw_folder, make, cell):
    found = refusal(raw_folder(texts={"right_foot": with_bad_cells(make, cell, 301, 41)}))
    assert "right_foot.csv, line 301, column acc_y_m_s2" in found
    assert "the first of 41 unreadable rows of 800" in found


@pytest.mark.parametrize("cell", BAD_CELLS)
@pytest.mark.parametrize("count", [1, 40])
def test_a_few_rows_with_bad_cells_are_left_out_and_counted(raw_folder, make, cell, count):
    session = open_session(raw_folder(texts={"right_foot": with_bad_cells(make, cell, 301, count)}))
    verb = "is unreadable and was" if count == 1 else "are unreadable and were"
    assert f"{count} of 800 rows of right_foot.csv {verb} left out." in session.notes
    blocks = [b for b in session.blocks() if b.site == "right_foot"]
    kept = np.delete(make.rows(), slice(299, 299 + count), axis=0)
    np.testing.assert_array_equal(np.concatenate([b.device_time_s for b in blocks]), kept[:, 0])
    np.testing.assert_array_equal(np.concatenate([b.acc_m_s2 for b in blocks]), kept[:, 2:5])
    assert session.ledger["right_foot"].lost == count


def test_decimal_commas(raw_folder, make):
    lines = make.csv(make.rows()).splitlines()
    lines[7:] = [line.replace(".", ",") for line in lines[7:]]
    found = refusal(raw_folder(texts={"right_foot": "\n".join(lines)}))
    assert "line 8: the row has 16 values for 8 columns" in found
    assert "are there commas inside" in found


def test_one_row_of_decimal_commas_is_left_out(raw_folder, make):
    lines = make.csv(make.rows()).splitlines()
    lines[7] = lines[7].replace(".", ",")
    session = open_session(raw_folder(texts={"right_foot": "\n".join(lines)}))
    assert "1 of 800 rows of right_foot.csv is unreadable and was left out." in session.notes


def test_the_line_is_right_behind_empty_lines(raw_folder, make):
    lines = make.csv(make.rows()).splitlines()
    lines[20:] = [line.replace(",", ",x", 1) for line in lines[20:]]
    lines[5:5] = ["", ""]
    assert "line 23, column host_time_s" in refusal(raw_folder(texts={"right_foot": "\n".join(lines)}))


def test_rows_cut_short_are_named(raw_folder, make):
    lines = make.csv(make.rows()).splitlines()
    lines[700:] = [line[: line.rindex(",")] for line in lines[700:]]
    assert "line 701: the row ends before column gyr_z_rad_s" in refusal(
        raw_folder(texts={"right_foot": "\n".join(lines)})
    )


def test_a_last_row_cut_short_is_left_out(raw_folder, make):
    text = make.csv(make.rows())
    session = open_session(raw_folder(texts={"right_foot": text[: text.rindex(",")]}))
    assert "1 of 800 rows of right_foot.csv is unreadable and was left out." in session.notes
    assert session.ledger["right_foot"].received == 799


@pytest.mark.parametrize("decimal", [".", ","])
def test_semicolons_and_decimal_commas_are_read(raw_folder, make, decimal):
    text = make.csv(make.rows()).replace(",", ";").replace(".", decimal)
    session = open_session(raw_folder(texts={"right_foot": text}))
    acc = np.concatenate([b.acc_m_s2 for b in session.blocks() if b.site == "right_foot"])
    np.testing.assert_array_equal(acc, make.rows()[:, 2:5])


def test_a_missing_column(raw_folder, make):
    text = make.csv(make.rows()).replace("gyr_y_rad_s", "gyr_y_deg_s")
    found = refusal(raw_folder(texts={"right_foot": text}))
    assert "right_foot.csv lacks the column gyr_y_rad_s" in found


def test_both_times_missing(raw_folder, make):
    header = make.HEADER.replace("device_time_s,host_time_s,", "")
    text = make.csv(make.rows()[:, 2:], header)
    assert "neither device_time_s nor host_time_s" in refusal(raw_folder(texts={"right_foot": text}))


@pytest.mark.parametrize("text", ["\n", "# nothing\n# but comments\n"])
def test_an_empty_table(raw_folder, text):
    assert "right_foot.csv" in refusal(raw_folder(texts={"right_foot": text}))


def test_a_header_alone(raw_folder, make):
    assert "no samples" in refusal(raw_folder(texts={"right_foot": make.HEADER + "\n"}))


def test_truncated_gzip(raw_folder):
    folder = raw_folder(compress=True)
    file = folder / "right_foot.csv.gz"
    file.write_bytes(file.read_bytes()[:-200])
    assert "right_foot.csv.gz is a gzip file that was cut short" in refusal(folder)


def test_binary_instead_of_text(raw_folder):
    folder = raw_folder()
    (folder / "right_foot.csv").write_bytes(gzip.compress(b"\xff\xfe\x80\x81"))
    assert "not a text file" in refusal(folder)


def test_too_short(raw_folder):
    found = refusal(raw_folder(seconds=3.0))
    assert "3.0 s long and at least 5 s are needed" in found


def test_a_sample_too_short_is_not_said_to_be_long_enough(raw_folder):
    assert "is 4.9 s long and at least 5 s are needed" in refusal(raw_folder(seconds=4.99))


def test_host_time_backwards(raw_folder, make):
    rows = make.rows()
    rows[400:, 1] -= 2.0
    found = refusal(raw_folder(texts={"right_foot": make.csv(rows)}))
    assert "host_time_s goes backwards at sample 401" in found


@pytest.mark.parametrize("column", ["device_time_s", "host_time_s"])
def test_a_clock_that_leaps_by_a_year(raw_folder, make, column):
    rows = make.rows()
    rows[400:, make.HEADER.split(",").index(column)] += 3e7
    found = refusal(raw_folder(texts={"right_foot": make.csv(rows)}))
    assert f"right_foot.csv: {column} leaps from" in found
    assert "at sample 401" in found


def test_a_host_clock_that_stands_still(raw_folder, make):
    rows = make.rows()
    rows[:, 1] = 5.0
    assert "host_time_s is 5 s in every row" in refusal(raw_folder(texts={"right_foot": make.csv(rows)}))


@pytest.mark.parametrize(("every_s", "measured"), [(0.005, 200), (0.02, 50)])
def test_arrivals_that_contradict_the_rate(raw_folder, make, every_s, measured):
    """Without the sensor's own clock another rate would be taken for lost samples, or for a strap that slipped."""
    rows = make.rows(seconds=16.0)[:, 1:]
    rows[:, 0] = np.arange(len(rows)) * every_s
    text = make.csv(rows, make.HEADER.replace("device_time_s,", ""))
    found = refusal(raw_folder(texts={"right_foot": text}))
    assert f"given as 100 Hz but host_time_s advances like {measured} Hz" in found


def test_a_clock_too_coarse_to_order_samples(raw_folder, make):
    rows = make.rows()
    rows[:, 0] = rows[:, 0].round(1)
    assert "repeat the device_time_s" in refusal(raw_folder(texts={"right_foot": make.csv(rows)}))


@pytest.mark.parametrize(
    ("columns", "factor", "words"),
    [
        (slice(2, 5), 1 / 9.80665, "is it in g?"),
        (slice(2, 5), 1000 / 9.80665, "milli-g"),
        (slice(2, 5), 16384 / 9.80665, "raw counts"),
        (slice(2, 5), 0.01, "was it removed"),
        (slice(5, 8), 180 / np.pi, "is it in deg/s?"),
        (slice(2, 5), 0.0, "every acceleration is zero"),
        (slice(5, 8), 0.0, "every angular velocity is zero"),
        (slice(0, 1), 1000.0, "is it in ms?"),
    ],
)
def test_units_that_cannot_be(raw_folder, make, columns, factor, words):
    rows = make.rows()
    rows[:, columns] *= factor
    found = refusal(raw_folder(texts={"right_foot": make.csv(rows)}))
    assert words in found
    assert "right_foot.csv" in found


def test_a_file_that_is_a_folder(raw_folder):
    folder = raw_folder()
    (folder / "right_foot.csv").unlink()
    (folder / "right_foot.csv").mkdir()
    assert "no such file" in refusal(folder)


def test_other_peoples_mcap(tmp_path):
    from mcap.writer import Writer

    path = tmp_path / "robot.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2")
        channel = writer.register_channel("/chat", "json", writer.register_schema("chat", "jsonschema", b"{}"))
        writer.add_message(channel, 1, json.dumps({"a": 1}).encode(), 1)
        writer.finish()
    with pytest.raises(InputError, match="not a recording made by subtalar"):
        open_session(path)
