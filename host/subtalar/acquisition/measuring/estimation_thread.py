"""The estimator in a thread of its own, so that stamping an arrival never waits for arithmetic.

Whatever has gathered while the thread was busy is handed to the estimator in one block a sensor: the busier the
machine, the bigger and cheaper the blocks. The result is the same: it never depends on how the input was cut.
"""

import sys
import threading
import time
from collections.abc import Callable

from subtalar.estimation import GaitEstimator
from subtalar.session.interleave import join
from subtalar.types import BodySite, Estimates, SampleBlock

_SHORTEST_ROUND_S = 0.01
"""Rounds are no closer than this: a smaller block costs as much as a bigger one."""
_SWITCH_S = 0.001
"""How long this thread may keep the interpreter while the event loop has a sample to stamp."""


class EstimationThread:
    """``on_estimates`` is called in the thread. Blocks of one sensor must come in order."""

    def __init__(self, estimator: GaitEstimator, on_estimates: Callable[[Estimates], None]) -> None:
        self._estimator = estimator
        self._on_estimates = on_estimates
        self._state = threading.Condition()
        self._blocks: dict[BodySite, list[SampleBlock]] = {}
        self._waiting = 0
        self._advance_to_s: float | None = None
        self._ending = False
        self._failure: BaseException | None = None
        sys.setswitchinterval(_SWITCH_S)
        self._thread = threading.Thread(target=self._run, name="estimation", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Samples that wait."""
        return self._waiting

    def push(self, block: SampleBlock) -> None:
        """Hand over a block. Raises what the estimator raised before."""
        self._raise_failure()
        with self._state:
            self._blocks.setdefault(block.site, []).append(block)
            self._waiting += len(block)
            self._state.notify()

    def advance(self, arrived_before_s: float) -> None:
        """Everything that arrived before this has been pushed."""
        self._raise_failure()
        with self._state:
            self._advance_to_s = arrived_before_s
            self._state.notify()

    def finish(self) -> None:
        """Work off what waits, finish the estimator and end the thread. Blocks; raises what the estimator raised."""
        with self._state:
            self._ending = True
            self._state.notify()
        self._thread.join()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            ending = False
            while not ending:
                begin = time.monotonic()
                with self._state:
                    while not (self._blocks or self._advance_to_s is not None or self._ending):
                        self._state.wait()
                    blocks, self._blocks = self._blocks, {}
                    advance_to_s, self._advance_to_s = self._advance_to_s, None
                    ending = self._ending
                    self._waiting = 0
                for parts in blocks.values():
                    self._on_estimates(self._estimator.push(join(parts)))
                if advance_to_s is not None:
                    self._on_estimates(self._estimator.advance(advance_to_s))
                if not ending:
                    time.sleep(max(0.0, begin + _SHORTEST_ROUND_S - time.monotonic()))
            self._on_estimates(self._estimator.finish())
        except BaseException as failure:
            self._failure = failure
