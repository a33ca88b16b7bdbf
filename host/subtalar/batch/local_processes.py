"""Jobs on the cores of this computer, one process each, however rudely one of them may end."""

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from subtalar.batch.job import Job, JobResult, run

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def run_locally(jobs: Sequence[Job], workers: int) -> Iterator[JobResult]:
    """What comes of each job, as they end. A process that is killed costs only the session that it worked on."""
    waiting = deque(jobs)
    while waiting:
        suspects = yield from _pool(waiting, workers)
        for job in suspects:  # one at a time, so that the guilty one is known
            if (yield from _pool(deque([job]), 1)):
                yield JobResult(job.name, f"The process that analysed {job.path} was killed: is the memory full?")


def _pool(waiting: deque[Job], workers: int) -> Generator[JobResult, None, list[Job]]:
    """Empty ``waiting``; returns the jobs that were in work when a process died, if one did."""
    running: dict[Future[JobResult], Job] = {}
    with _one_thread_each(), _killed_if_left_early():
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_leave_interrupts_alone)
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running[pool.submit(run, waiting[0])] = waiting[0]
                    waiting.popleft()
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    done = future.result()
                    del running[future]
                    yield done
        except BrokenProcessPool:
            return list(running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return []


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """There is a process a core: threads of its numerical libraries would only be in the way."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _killed_if_left_early() -> Iterator[None]:
    """Whoever gives up (Ctrl-C) does not wait for the sessions in work."""
    others = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise


def _leave_interrupts_alone() -> None:
    """Ctrl-C reaches every process of the terminal; the first one alone decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
