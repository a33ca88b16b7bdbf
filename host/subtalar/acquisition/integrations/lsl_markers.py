"""Markers that other programs send through the Lab Streaming Layer."""

import threading
from collections.abc import Callable
from typing import Any, Final

from subtalar.acquisition.integrations.lsl_library import SOURCE_PREFIX, lsl_clock_offset_s
from subtalar.device import SessionClock

_ROUND_S: Final = 0.05
_CORRECTION_TIMEOUT_S: Final = 1.0
_CORRECT_EVERY: Final = 100  # rounds


class LslMarkers:
    """Listens, in a thread of its own, to every stream of type ``Markers``, or to the one called ``name``.

    ``on_marker`` is called in that thread with a label and its session time. Streams may come and go; our own are left
    alone. Their clocks are corrected as LSL does, so a marker of another computer lies where it belongs.
    """

    def __init__(self, clock: SessionClock, name: str, on_marker: Callable[[str, float], None]) -> None:
        self._offset_s = lsl_clock_offset_s(clock)
        self._name, self._on_marker = name, on_marker
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="LSL markers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ending.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        import pylsl

        wanted = f"type='Markers' and not(starts-with(source_id,'{SOURCE_PREFIX} '))"
        if self._name:
            wanted = f"name={_quoted(self._name)} and not(starts-with(source_id,'{SOURCE_PREFIX} '))"
        resolver = pylsl.ContinuousResolver(pred=wanted, forget_after=5.0)
        streams: dict[str, _MarkerStream] = {}
        while not self._ending.wait(_ROUND_S):
            for info in resolver.results():
                if info.uid() not in streams:
                    streams[info.uid()] = _MarkerStream(info)
            for uid, stream in list(streams.items()):
                try:
                    for label, lsl_s in stream.take():
                        self._on_marker(label, lsl_s - self._offset_s)
                except Exception:  # the stream has gone, in one of the ways LSL has for that
                    del streams[uid]


class _MarkerStream:
    def __init__(self, info: Any) -> None:
        import pylsl

        self._inlet = pylsl.StreamInlet(info, max_buflen=60, recover=False)
        self._correction_s: float | None = None
        self._rounds = 0

    def take(self) -> list[tuple[str, float]]:
        """Labels with their times on this computer's LSL clock. Raises what pylsl raises where the stream has gone."""
        if self._rounds % _CORRECT_EVERY == 0 or self._correction_s is None:
            self._correction_s = float(self._inlet.time_correction(timeout=_CORRECTION_TIMEOUT_S))
        self._rounds += 1
        samples, times = self._inlet.pull_chunk(timeout=0.0, max_samples=256)
        correction_s = self._correction_s
        return [
            (" ".join(str(value) for value in sample), float(at_s) + correction_s)
            for sample, at_s in zip(samples, times, strict=True)
        ]


def _quoted(text: str) -> str:
    """As a literal of XPath 1.0, which knows no escapes."""
    return f'"{text}"' if "'" in text else f"'{text}'"
