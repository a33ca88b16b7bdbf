"""Jobs on a Dask cluster whose computers see the same folders."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from subtalar import __version__
from subtalar.batch.job import Job, JobResult, run
from subtalar.errors import LinkError

_ANSWER_S = 10.0
"""So long a scheduler has to answer."""
_FIRST_WORKER_S = 10.0


def run_on_cluster(jobs: Sequence[Job], address: str, folders: Sequence[Path]) -> Iterator[JobResult]:
    """What comes of each job, as they end.

    ``address`` is a scheduler's, such as ``tcp://10.0.0.5:8786``; ``folders`` must be seen by every worker. Raises
    LinkError, before anything is begun, where there is no scheduler, no worker, or one that cannot do the work.
    """
    from distributed import as_completed

    with _client(address) as client:
        _check_workers(client, address, folders)
        names = {client.submit(run, job, pure=False): job for job in jobs}
        for future in as_completed(names, loop=client.loop):
            job = names[future]
            if future.status == "finished":
                yield future.result()
            else:
                error = future.exception()
                yield JobResult(
                    job.name, f"The cluster could not analyse {job.path} ({type(error).__name__}: {error})."
                )
            future.release()


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client

    class TidyClient(Client):  # type: ignore[misc]
        """A Client that fails leaves the thread of its event loop behind, and closes itself in whatever thread collects
        it. Where that is the event loop of the next one, which is being started, both wait for each other.
        """

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                self.close()
                self._loop_runner.stop()  # which close() leaves out where the client has closed itself
                raise

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small differences between versions of Dask
        try:
            client = TidyClient(address, timeout=_ANSWER_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise LinkError(
                f"No Dask scheduler answers at {address}: start one with `dask scheduler`, workers with "
                f"`dask worker ADDRESS`, and give the address that it prints ({error})."
            ) from error
    try:
        yield client
    finally:
        client.close()


def _check_workers(client: Any, address: str, folders: Sequence[Path]) -> None:
    with contextlib.suppress(TimeoutError):
        client.wait_for_workers(1, timeout=_FIRST_WORKER_S)
    found: dict[str, Any] = client.run(_look, [str(folder) for folder in folders], on_error="return")
    if not found:
        raise LinkError(f"The scheduler at {address} has no workers: start some with `dask worker {address}`.")
    for worker, (version, missing) in ((w, _answer_of(v)) for w, v in found.items()):
        if version != __version__:
            raise LinkError(
                f"The worker {worker} has {version or 'no subtalar'} and not subtalar {__version__}: install the same "
                "version everywhere, or the results would differ."
            )
        if missing:
            raise LinkError(
                f"The worker {worker} does not see {missing}: put sessions and results into a folder that all "
                "computers share under the same name."
            )


def _answer_of(answer: Any) -> tuple[str, str]:
    return ("", "") if isinstance(answer, BaseException) else (answer[0], answer[1])


def _look(folders: list[str]) -> tuple[str, str]:
    """Runs on a worker: its version, and the first of the folders that it cannot see."""
    from subtalar import __version__ as version

    return version, next((folder for folder in folders if not Path(folder).is_dir()), "")
