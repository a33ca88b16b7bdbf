"""Cuts and overwrites at random places of a recording: whether each is noticed, and what comes back."""

import random
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from subtalar.bench.result import Result, SimulatedOpener
from subtalar.errors import InputError
from subtalar.session import read_blocks, recover, verify
from subtalar.session.recording.format.messages import ArrivedBlock
from subtalar.session.recording.read.container import ChunkEnd, Scanner
from subtalar.session.recording.read.item_stream import (
    TopicMessage,
    decode_items,
    open_file,
    read_header,
    scan_messages,
)
from subtalar_bench.recording import live_recording

OVERWRITTEN_BYTES = 512
LEAST_SHARE = 0.99


@dataclass(frozen=True)
class Damaged:
    """``share`` of the samples that lay in undamaged chunks came back; ``lost_s`` of the whole did not."""

    what: str
    offset: int
    noticed: bool
    share: float
    altered: int
    lost_s: float

    @property
    def sound(self) -> bool:
        """As it should be."""
        return self.noticed and self.share >= LEAST_SHARE and not self.altered


def damage(open_simulated: SimulatedOpener, n: int, seed: int, seconds: float) -> tuple[list[Result], list[Damaged]]:
    """``n`` cuts and ``n`` overwrites of one live recording; figures, and the trials that went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.mcap"
        live_recording(open_simulated, path, seconds)
        found = trials(path, n, seed)
    on = f"a live recording of {seconds:.0f} s"
    results = []
    for what in ("cut", "overwrite"):
        of = [trial for trial in found if trial.what == what]
        where = f"{on}, {'cut' if what == 'cut' else '512 bytes overwritten'} at random"
        results += [
            Result("trials", float(len(of)), "files", where),
            Result("noticed", float(sum(t.noticed for t in of)), "files", where),
            Result("of undamaged time, least", 100.0 * min(t.share for t in of), "%", where),
            Result("altered samples that passed", float(sum(t.altered for t in of)), "samples", where),
        ]
    most = max(t.lost_s for t in found if t.what == "overwrite")
    results.append(Result("most lost to an overwrite", most, "s", on))
    return results, [trial for trial in found if not trial.sound]


def trials(path: Path, n: int, seed: int) -> list[Damaged]:
    """``n`` cuts and ``n`` overwrites of the recording ``path``, which stays as it is."""
    content = path.read_bytes()
    spans = list(_chunk_spans(path))
    known = {sample for _, _, samples in spans for sample in samples}
    sites = len(read_header(path).sensors)
    rate_hz = next(iter(read_header(path).sensors.values())).rate_hz * sites
    draw = random.Random(seed)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for k in range(2 * n):
            what = "cut" if k % 2 else "overwrite"
            offset = draw.randrange(len(content))
            if what == "cut":
                bad, first, last = content[:offset], offset, len(content)
            else:
                noise = draw.randbytes(min(OVERWRITTEN_BYTES, len(content) - offset))
                first, last = offset, offset + len(noise)
                bad = content[:first] + noise + content[last:]
            target = Path(folder) / f"{k}.mcap"
            target.write_bytes(bad)
            undamaged = {s for start, end, samples in spans if end <= first or start >= last for s in samples}
            found.append(_judge(what, offset, target, undamaged, known, rate_hz))
            target.unlink()
    return found


Sample = tuple[str, float, bytes]


def _judge(what: str, offset: int, path: Path, undamaged: set[Sample], known: set[Sample], rate_hz: float) -> Damaged:
    noticed, back = True, set[Sample]()
    clean = path.with_suffix(".clean.mcap")
    try:
        noticed = verify(path).status != "ok"
        recover(path, clean)
        back = _samples(read_blocks(clean))
    except InputError:
        pass  # refused in one sentence: noticed, and nothing came back
    finally:
        clean.unlink(missing_ok=True)
    share = len(back & undamaged) / len(undamaged) if undamaged else 1.0
    return Damaged(what, offset, noticed, share, len(back - known), len(known - back) / rate_hz)


def _samples(arrived: Iterable[object]) -> set[Sample]:
    return {
        (a.block.site.value, a.arrival_s, a.block.acc_m_s2[k].tobytes() + a.block.gyr_rad_s[k].tobytes())
        for a in arrived
        if isinstance(a, ArrivedBlock)
        for k in range(len(a.block))
    }


def _chunk_spans(path: Path) -> Iterator[tuple[int, int, set[Sample]]]:
    """First and last byte of every chunk, and the samples in it."""
    header = read_header(path)
    ends = []
    with open_file(path) as file:
        scanner = Scanner(file)
        samples: set[Sample] = set()
        for record in scan_messages(scanner, header):
            if isinstance(record, TopicMessage):
                if record.topic.startswith("/samples/"):
                    samples |= _samples(decode_items(header, record))
            elif isinstance(record, ChunkEnd):
                ends.append((record.offset, samples))
                samples = set()
        last = scanner.data_end_offset or path.stat().st_size
    starts = [offset for offset, _ in ends]
    for (start, found), end in zip(ends, [*starts[1:], last], strict=True):
        yield start, end, found
