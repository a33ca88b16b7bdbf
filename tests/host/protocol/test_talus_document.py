"""docs/protocol.md is what firmware engineers build from: its examples, its C and its numbers are held to it here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subtalar.protocol import create_protocol
from subtalar.protocol.talus import Talus
from subtalar.protocol.talus_frames import PIECE_LIMIT, stuffed, unstuffed
from subtalar_sim.firmware import talus as firmware

DOCUMENT = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text("utf-8")
EXAMPLES = [
    (name.strip(), bytes.fromhex(frame), bytes.fromhex(wire))
    for name, frame, wire in re.findall(r"^(\S.*)\n  frame ([0-9a-f ]+)\n  wire  ([0-9a-f ]+)$", DOCUMENT, re.MULTILINE)
]


def test_there_is_an_example_of_every_kind_of_frame_that_is_common():
    kinds = {frame[0] for _, frame, _ in EXAMPLES}
    assert {0x81, 0x01, 0x82, 0x02, 0x83, 0x03, 0x84, 0x04, 0x40, 0x41, 0x42, 0x43} <= kinds


@pytest.mark.parametrize(("name", "frame", "wire"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_example(name, frame, wire, page):
    assert page.with_crc(frame[:-2]) == frame
    assert page.wire(frame[:-2]) == wire
    assert stuffed(frame[:-2]) == wire
    assert firmware.wire(frame[:-2]) == wire
    assert unstuffed(wire[:-1]) == frame
    assert firmware.unwire(wire[:-1]) == frame[:-2]
    if not frame[0] & 0x80:
        codec = create_protocol("talus")
        codec.feed(wire)
        assert codec.health.corrupt_bytes == 0
        assert codec.health.frames + codec.health.skipped_frames == 1


def test_the_crc_has_the_check_value_of_the_page(page):
    (told,) = re.findall(r"`123456789` it is `0x([0-9A-F]{4})`", DOCUMENT)
    assert page.crc(b"123456789") == firmware.crc16(b"123456789") == int(told, 16)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(min_size=1, max_size=248))
def test_all_encoders_agree_and_what_is_stuffed_comes_back(page, frame):
    wire = page.wire(frame)
    assert stuffed(frame) == firmware.wire(frame) == wire
    assert wire.count(0) == 1
    assert len(wire) == len(frame) + 4 <= PIECE_LIMIT + 1
    assert unstuffed(wire[:-1]) == frame + page.crc(frame).to_bytes(2, "little")


def test_one_altered_bit_is_always_noticed(page):
    wire = page.samples(7, 1_000_000, [(1, 0, 2048, -1, 0, 300)])
    for bit in range(8 * (len(wire) - 1)):
        piece = bytearray(wire[:-1])
        piece[bit // 8] ^= 1 << bit % 8
        assert all(unstuffed(part) is None for part in bytes(piece).split(b"\0") if part)


@pytest.mark.skipif(
    shutil.which("cc") is None, reason="there is no C compiler, cc (Debian: apt-get install tcc libc6-dev)"
)
def test_the_c_of_the_page_compiles_and_makes_the_same_bytes(tmp_path, page):
    (code,) = re.findall(r"```c\n(.*?)```", DOCUMENT, re.DOTALL)
    main = """
#include <stdio.h>
int main(void) {
    unsigned byte; size_t n = 0; uint8_t frame[248], wire[252];
    while (scanf("%2x", &byte) == 1) frame[n++] = (uint8_t)byte;
    size_t m = talus_wire(frame, n, wire);
    for (size_t i = 0; i < m; i++) printf("%02x", wire[i]);
    size_t back = talus_frame(wire, m - 1);
    printf(" %d", back == n && memcmp(wire + 1, frame, n) == 0);
    wire[0] ^= 1;
    return 0;
}
"""
    (tmp_path / "talus.c").write_text(code + main)
    build = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-o", str(tmp_path / "talus"), "talus.c"]
    subprocess.run(build, cwd=tmp_path, check=True, timeout=60)
    frames = [frame[:-2] for _, frame, _ in EXAMPLES] + [bytes(248), b"\xff" * 248, bytes(range(248)), b"\x05"]
    for frame in frames:
        done = subprocess.run(
            [str(tmp_path / "talus")], input=frame.hex(" "), capture_output=True, text=True, check=True, timeout=10
        )
        assert done.stdout == f"{page.wire(frame).hex()} 1"


def test_the_uuids_stand_in_the_page():
    told = re.findall(r"\| `([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})` \|", DOCUMENT)
    assert Talus.gatt is not None
    assert told == [Talus.gatt.service, *Talus.gatt.notify, Talus.gatt.write]
    assert told == [firmware.SERVICE_UUID, firmware.NOTIFY_UUID, firmware.WRITE_UUID]


def test_the_table_of_line_rates_adds_up():
    rows = re.findall(r"^\| (\d+) Hz \| (\d+) \| ([\d,]+) \| (\d+) \| (\d+) \|$", DOCUMENT, re.MULTILINE)
    assert len(rows) == 4
    for rate, n, bytes_s, small, large in rows:
        frame = 9 + 12 * int(n) + 2
        per_s = int(rate) / int(n)
        assert frame * per_s == int(bytes_s.replace(",", "")) < 11_520
        assert -(-frame // 20) * per_s == int(small)
        assert -(-frame // 244) * per_s == int(large)


def test_lengths_that_the_page_tells(page):
    assert len(page.with_crc(page.wire(b"")[:0] + b"\x41" + bytes(26))) == 29
    for n in (1, 20):
        wire = page.samples(n - 1, 5, [(1, 2, 3, 4, 5, 6)] * n)
        assert len(wire) == 9 + 12 * n + 2
    assert 9 + 12 * 20 <= 250 < 9 + 12 * 21
