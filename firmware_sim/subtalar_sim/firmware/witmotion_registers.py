"""What the WitMotion families share: registers behind an unlock key, five-byte commands, Euler angles."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np

from subtalar_sim.types import FloatArray

REG_SAVE, REG_READ, REG_UNLOCK = 0x00, 0x27, 0x69
UNLOCKED_S: Final = 10.0
BUSY_S: Final = 0.31
_UNLOCK_KEY: Final = 0xB588


class RegisterFile(dict[int, int]):
    """Register -> value as it is in force; ``saved`` is what survives a power cycle.

    Writes count for ten seconds after the key was given, and not while a save is under way.
    """

    def __init__(self, saved: Mapping[int, int], writable: Collection[int]) -> None:
        super().__init__(saved)
        self.saved = dict(saved)
        self._writable = frozenset(writable)
        self._input = bytearray()
        self._unlocked_until = self._busy_until = -1.0

    def power_cycle(self) -> None:
        """Off and on: what was not saved is forgotten."""
        self.clear()
        self.update(self.saved)
        self._input.clear()
        self._unlocked_until = self._busy_until = -1.0

    def is_busy(self, now_s: float) -> bool:
        """Whether the flash is being written."""
        return now_s < self._busy_until

    def save(self, now_s: float) -> None:
        """Keep what is in force."""
        self.saved = dict(self)
        self._busy_until = now_s + BUSY_S

    def take(self, data: bytes, now_s: float) -> Iterator[tuple[int, int]]:
        """Commands ``FF AA register low high`` in bytes that are cut anywhere; anything else is skipped byte by byte.

        Gives (register, value) of those that are not refused: reads, saves, and writes to writable registers, none
        of them carried out yet. The key is dealt with here.
        """
        self._input += data
        while len(self._input) >= 5:
            if self._input[0] != 0xFF or self._input[1] != 0xAA:
                del self._input[0]
                continue
            register, value = self._input[2], self._input[3] | self._input[4] << 8
            del self._input[:5]
            if register == REG_READ:
                yield register, value
            elif self.is_busy(now_s):
                continue
            elif register == REG_UNLOCK:
                if value == _UNLOCK_KEY:
                    self._unlocked_until = now_s + UNLOCKED_S
            elif now_s < self._unlocked_until and (register == REG_SAVE or register in self._writable):
                yield register, value


def euler_deg(R: FloatArray) -> FloatArray:
    """Sensor axes into the world (n, 3, 3) -> roll, pitch and yaw (n, 3) as the sensors give them (Z-Y-X)."""
    roll = np.arctan2(R[:, 2, 1], R[:, 2, 2])
    pitch = -np.arcsin(np.clip(R[:, 2, 0], -1.0, 1.0))
    yaw = np.arctan2(R[:, 1, 0], R[:, 0, 0])
    return np.asarray(np.degrees(np.column_stack([roll, pitch, yaw])), dtype=np.float64)
