"""Whatever stands in a file: the session opens, or one sentence says why not; within bounded memory and time."""

import contextlib
import gzip
import resource
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subtalar.errors import InputError
from subtalar.session import open_session
from subtalar.session.importing import text_file

ANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def opens_or_says(folder: Path) -> None:
    try:
        session = open_session(folder, minimum_s=0.0)
    except InputError as error:
        text = str(error)
        assert "\n" not in text
        assert text.endswith((".", "?")), text
        assert len(text) < 1000
    else:
        assert session.sample_count == sum(len(b) for b in session.blocks())


@pytest.fixture(scope="module")
def good(made):
    """A name in a folder and what is in it, for each format."""
    mapping = """
format = "subtalar-described-csv"
version = 1
[sensors.right_foot]
file = "a.csv"
time = { column = "t", unit = "ms" }
acc = { columns = ["ax", "ay", "az"], unit = "m/s2" }
gyr = { columns = ["gx", "gy", "gz"], unit = "rad/s" }
"""
    values = made.motion(seconds=2.0, rate_hz=50)
    table = "t,ax,ay,az,gx,gy,gz\n" + "".join(
        f"{20 * k}," + ",".join(f"{v:.6f}" for v in row) + "\n" for k, row in enumerate(values)
    )
    return {
        "right foot.csv": ({}, made.dot_app(made.motion(seconds=2.0)).encode()),
        "right foot/Inertial.csv": ({}, made.ximu3(values).encode()),
        "right foot/Command.json": ({"right foot/Inertial.csv": made.ximu3(values)}, made.ping("a", "b").encode()),
        "a.csv": ({"import.toml": mapping}, table.encode()),
        "import.toml": ({"a.csv": table}, mapping.encode()),
        "sensorspec.json": ({"1.csv": made.dot_app(made.motion(seconds=2.0))}, b'{"right_foot": "1.csv"}'),
    }


NAMES = [
    "right foot.csv",
    "right foot/Inertial.csv",
    "right foot/Command.json",
    "a.csv",
    "import.toml",
    "sensorspec.json",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_damaged_below_opens_when_whole(export, good, name):
    beside, content = good[name]
    session = open_session(export({**beside, name: content}), minimum_s=0.0)
    assert session.sample_count in (100, 120)


@pytest.mark.parametrize("name", NAMES)
@ANY
@given(data=st.data())
def test_cut_anywhere(export, good, name, data):
    beside, content = good[name]
    at = data.draw(st.integers(0, len(content)))
    opens_or_says(export({**beside, name: content[:at]}))


@pytest.mark.parametrize("name", NAMES)
@ANY
@given(data=st.data())
def test_bytes_written_over(export, good, name, data):
    beside, content = good[name]
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        patch = data.draw(
            st.binary(min_size=1, max_size=40) | st.sampled_from([b",", b";", b"\n", b"9" * 400, b"1e999"])
        )
        damaged[at : at + len(patch)] = patch
    opens_or_says(export({**beside, name: bytes(damaged)}))


@pytest.mark.parametrize("name", NAMES)
@ANY
@given(content=st.binary(max_size=300) | st.text(alphabet='0123456789.,;"\n\t-+eE', max_size=300).map(str.encode))
def test_garbage(export, good, name, content):
    opens_or_says(export({**good[name][0], name: content}))


@pytest.mark.parametrize("name", ["right foot.csv", "right foot/Inertial.csv"])
@ANY
@given(data=st.data())
def test_gzip_cut_or_damaged(export, good, name, data):
    packed = bytearray(gzip.compress(good[name][1], mtime=0))
    at = data.draw(st.integers(0, len(packed) - 1))
    if data.draw(st.booleans()):
        packed[at] ^= data.draw(st.integers(1, 255))
    else:
        packed = packed[:at]
    folder = export({f"{name}.gz": bytes(packed)})
    opens_or_says(folder)


@pytest.mark.parametrize("zeros", [True, False])
def test_a_zip_bomb(export, made, zeros):
    """Two gigabytes in a few megabytes: refused before it fills the memory, by its zeros or by its size."""
    start = made.dot_app(made.motion(seconds=1.0)).encode()
    row = b"1,16667,0,0,0,0,1.0,1.0,9.0,0.1,0.1,0.1\n"
    piece = bytes(2**20) if zeros else row * (2**20 // len(row))
    parts = [b"" if zeros else gzip.compress(start), *[gzip.compress(piece)] * 2048]  # members follow each other
    folder = export({"right foot.csv.gz": b"".join(parts)})
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    if zeros:
        assert "no table that is known by itself" in made.refusal(folder)
    else:
        assert "which no session of a sensor needs" in made.refusal(folder)
    assert time.perf_counter() - begun < 20.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kB


def test_a_gigabyte_of_zeros(export, made, tmp_path):
    folder = export({"right foot/Inertial.csv": b""})
    with (folder / "right foot/Inertial.csv").open("r+b") as file:
        file.truncate(2**30)  # a sparse file
    begun = time.perf_counter()
    assert "is not a text file" in made.refusal(folder)
    assert time.perf_counter() - begun < 2.0


def test_a_table_that_power_loss_filled_with_zeros(export, made):
    text = made.ximu3(made.motion(rate_hz=50)).encode()
    found = made.refusal(export({"right foot/Inertial.csv": text[:-4096] + bytes(4096)}))
    assert "zeros instead of text" in found


def test_what_is_too_large_is_refused_by_its_size(export, made, monkeypatch):
    monkeypatch.setattr(text_file, "_LARGEST_BYTES", 10_000)
    folder = export({"right foot/Inertial.csv": made.ximu3(made.motion(rate_hz=50))})
    assert "of text, which no session of a sensor needs" in made.refusal(folder)


def test_what_macs_and_people_leave_beside(export, made):
    text = made.dot_app(made.motion())
    files = {
        "right foot.csv": text,
        "._right foot.csv": b"\x00\x05\x16\x07",
        "notes.csv": "=cmd|x,1\n",
        "a.pdf": b"%PDF",
    }
    assert len(open_session(export(files)).sensors) == 1


def test_a_pipe_does_not_wait(export, made):
    import os

    folder = export({"right foot.csv": made.dot_app(made.motion())})
    os.mkfifo(folder / "left foot.csv")
    with contextlib.suppress(InputError):
        open_session(folder)
