"""The computer's Bluetooth radio, shared by all links of an event loop: who may use it, one search for everybody."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from subtalar.errors import LinkError

from .bluez import connected_devices, is_bluez, recover

_BLEAK_TIMEOUT_S: Final = 5.0
"""A Bluetooth service that hangs must not hang us."""
_UNDO_S: Final = 1.0
_SEARCH_S: Final = 0.25
_SEARCH_LONGER_S: Final = 0.3
"""How much longer a search goes on for the others once one sensor was found."""

_radio_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_searches: WeakKeyDictionary[asyncio.AbstractEventLoop, "dict[type[Any] | None, RadioSearch]"] = WeakKeyDictionary()


def radio_lock() -> asyncio.Lock:
    """The lock of the running loop's radio: scanning while another link is set up fails on several stacks."""
    return _radio_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def radio_search(backend: type[Any] | None) -> "RadioSearch":
    """The running loop's search; ``backend`` stands in for bleak's own scanner."""
    return _searches.setdefault(asyncio.get_running_loop(), {}).setdefault(backend, RadioSearch(backend))


def import_bleak() -> Any:
    """The bleak module. Raises LinkError that says how to get it."""
    try:
        import bleak
    except ImportError as error:
        raise LinkError("Bluetooth needs bleak: install it with  pip install 'subtalar[ble]'.") from error
    return bleak


def with_backend(backend: type[Any] | None) -> dict[str, Any]:
    """Arguments for bleak."""
    return {} if backend is None else {"backend": backend}


@dataclass(eq=False)
class _SearchRequest:
    address: str
    left_s: float
    device: asyncio.Future[Any]


class RadioSearch:
    """Scans while anybody looks for a sensor, so that one that is missing keeps nobody from finding another.

    A scan ends soon after a sensor was found, for the radio to be free to connect to it.
    """

    def __init__(self, backend: type[Any] | None = None) -> None:
        self._backend = backend
        self._requests: list[_SearchRequest] = []
        self._found = asyncio.Event()
        self._known: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def find(self, address: str, timeout_s: float) -> Any:
        """bleak's device with that address; None if it was not heard in ``timeout_s`` seconds of scanning.

        Raises what bleak raises where there is no radio, and TimeoutError if the Bluetooth service hangs.
        """
        wanted = _SearchRequest(address.upper(), timeout_s, asyncio.get_running_loop().create_future())
        self._requests.append(wanted)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="search for sensors")
        try:
            return await wanted.device
        finally:
            if wanted in self._requests:
                self._requests.remove(wanted)
                await self._end_if_idle()

    async def _end_if_idle(self) -> None:
        if not self._requests and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        try:
            while self._requests:
                async with radio_lock():
                    await self._scan()
        except Exception as error:
            wanted, self._requests = self._requests, []
            for each in wanted:
                if not each.device.done():
                    each.device.set_exception(error)

    async def _scan(self) -> None:
        scanner = await self._started()
        try:
            while self._requests and not self._found.is_set():
                await self._search_for(_SEARCH_S)
            if self._requests:
                self._found.clear()
                await self._search_for(_SEARCH_LONGER_S)
        finally:
            async with asyncio.timeout(_BLEAK_TIMEOUT_S):
                await scanner.stop()

    async def _started(self) -> Any:
        bleak = import_bleak()
        self._found.clear()
        scanner = bleak.BleakScanner(self._on_advertisement, **with_backend(self._backend))
        try:
            if is_bluez(self._backend):
                await self._find_connected(bleak)
            await _start(scanner)
        except Exception as error:
            if is_bluez(self._backend):
                await recover(error, _BLEAK_TIMEOUT_S)
            raise
        return scanner

    async def _search_for(self, for_s: float) -> None:
        began = asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                await self._found.wait()
        spent_s = asyncio.get_running_loop().time() - began
        for wanted in list(self._requests):
            wanted.left_s -= spent_s
            if wanted.left_s <= 0:
                self._answer(wanted, None)

    def _on_advertisement(self, device: Any, _advertisement: Any) -> None:
        for wanted in [w for w in self._requests if w.address == device.address.upper()]:
            self._known.add(wanted.address)
            self._found.set()
            self._answer(wanted, device)

    def _answer(self, wanted: _SearchRequest, device: Any) -> None:
        self._requests.remove(wanted)
        if not wanted.device.done():
            wanted.device.set_result(device)

    async def _find_connected(self, bleak: Any) -> None:
        """BlueZ keeps the links of a program that was killed, and a sensor that is linked does not advertise.

        Only what this process has never found is looked for among them: what bleak says of a link of ours may be as
        old as a BlueZ that died meanwhile.
        """
        if all(w.address in self._known for w in self._requests):
            return
        for device in await connected_devices(bleak, _BLEAK_TIMEOUT_S):
            if device.address.upper() not in self._known:
                self._on_advertisement(device, None)


async def _start(scanner: Any) -> None:
    """Given up meanwhile, a scan is ended nevertheless once it has begun: somebody else would find the radio busy."""
    starting = asyncio.ensure_future(scanner.start())
    try:
        async with asyncio.timeout(_BLEAK_TIMEOUT_S):
            await asyncio.shield(starting)
    except BaseException:
        with suppress(Exception):
            async with asyncio.timeout(_UNDO_S):
                await starting
                await scanner.stop()
        raise
