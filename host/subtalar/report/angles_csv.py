"""``angles.csv``: one row a side and sample, written as the estimates come."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

import numpy as np

from subtalar.anatomy import ANGLE_COUNT, ANKLE_COUNT, ANKLE_NAMES, FURTHER_NAMES
from subtalar.report.decimal_text import Text, csv_rows, decimal_text, word_table
from subtalar.types import SIDES, AngleBlock, Quality, Side

ANGLE_COLUMNS: Final = (
    "time_s",
    "side",
    *(f"{name}_deg" for name in ANKLE_NAMES),
    *(f"{name}_sd_deg" for name in ANKLE_NAMES),
    "quality",
    *(f"{name}_{what}" for name in FURTHER_NAMES for what in ("deg", "sd_deg")),
    "zero_sd_deg",
)

TIME_DECIMALS = 5
ANGLE_DECIMALS = 3
_BLOCK_ROWS = 32_768  # the byte matrix of a block stays within the processor's cache
_QUALITY_WORDS = word_table([quality.label for quality in sorted(Quality)])


class AnglesWriter:
    """Writes all rows of the left side, then all of the right, each in order of time.

    The sides are kept in two files until the end, so the result does not depend on how the samples were cut into
    blocks. ``folder`` must be the caller's own; OSError passes through.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[Side, BinaryIO] = {}
        self.rows = 0

    def __enter__(self) -> "AnglesWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in self._parts.values():
            part.close()

    def append(self, block: AngleBlock) -> None:
        """Add the rows of one block."""
        if block.side not in self._parts:
            # The file is closed by __exit__.
            self._parts[block.side] = self._part_path(block.side).open("w+b")
        part = self._parts[block.side]
        for start in range(0, len(block), _BLOCK_ROWS):
            part.write(_rows(block, slice(start, start + _BLOCK_ROWS)))
        self.rows += len(block)

    def clear(self) -> None:
        """Forget all rows: the next one is the first."""
        for part in self._parts.values():
            part.seek(0)
            part.truncate()
        self.rows = 0

    def assemble(self, path: Path) -> None:
        """Write header and rows to ``path`` and remove the parts. Nothing can be appended afterwards."""
        with path.open("wb") as file:
            file.write((",".join(ANGLE_COLUMNS) + "\n").encode("ascii"))
            for side in SIDES:
                part = self._parts.pop(side, None)
                if part is None:
                    continue
                with part:
                    part.seek(0)
                    shutil.copyfileobj(part, file, 1 << 20)
                self._part_path(side).unlink()

    def _part_path(self, side: Side) -> Path:
        return self._folder / f"angles.{side}.part"


def _rows(block: AngleBlock, rows: slice) -> bytes:
    time_s = block.time_s[rows]
    side: Text = np.broadcast_to(word_table([block.side]), (len(time_s), len(block.side)))
    return csv_rows(
        [
            decimal_text(time_s, TIME_DECIMALS),
            side,
            *(decimal_text(block.angles_deg[rows, k], ANGLE_DECIMALS) for k in range(ANKLE_COUNT)),
            *(decimal_text(block.angles_sd_deg[rows, k], ANGLE_DECIMALS) for k in range(ANKLE_COUNT)),
            _QUALITY_WORDS[block.quality[rows]],
            *(
                decimal_text(values[rows, k], ANGLE_DECIMALS)
                for k in range(ANKLE_COUNT, ANGLE_COUNT)
                for values in (block.angles_deg, block.angles_sd_deg)
            ),
            decimal_text(block.zero_sd_deg[rows], ANGLE_DECIMALS),
        ]
    )
