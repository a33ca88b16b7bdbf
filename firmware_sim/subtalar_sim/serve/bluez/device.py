"""Device1: a peripheral that was heard, and the link to it."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from bumble.core import AdvertisingData
from dbus_fast import Message, Variant

from subtalar_sim.serve.bluez.gatt import RemoteServices, uuid_text
from subtalar_sim.serve.bluez.objects import DBusRefusal, Interface, ObjectTree, Reply
from subtalar_sim.serve.radio import Radio

INTERFACE: Final = "org.bluez.Device1"
_CONNECT_TIMEOUT_S: Final = 20.0
_FORGET_AFTER_S: Final = 30.0
"""BlueZ's TemporaryTimeout: a device that nobody connects to is forgotten."""
_RSSI_EVERY_S: Final = 1.0
_UUID_LISTS: Final = range(0x02, 0x08)


class RemoteDevice:
    """One peripheral. ``forget`` is called when it was neither heard nor connected for a while."""

    def __init__(
        self, tree: ObjectTree, radio: Radio, adapter_path: str, address: str, forget: Callable[[str], None]
    ) -> None:
        self.address, self.path = address, f"{adapter_path}/dev_{address.replace(':', '_')}"
        self._tree, self._radio, self._forget = tree, radio, forget
        self._link: Any = None
        self._services: RemoteServices | None = None
        self._connecting: asyncio.Task[Any] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._told_at_s = float("-inf")
        self._properties = {
            "Address": Variant("s", address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", address.replace(":", "-")),
            "Adapter": Variant("o", adapter_path),
            "Paired": Variant("b", False),
            "Bonded": Variant("b", False),
            "Trusted": Variant("b", False),
            "Blocked": Variant("b", False),
            "LegacyPairing": Variant("b", False),
            "Connected": Variant("b", False),
            "ServicesResolved": Variant("b", False),
            "UUIDs": Variant("as", []),
        }
        self._shown = False

    @property
    def connected(self) -> bool:
        """Whether there is a link."""
        return self._link is not None

    # Advertising ------------------------------------------------------------------------------------------

    def heard(self, advertisement: Any, now_s: float) -> None:
        """An advertisement arrived while somebody was looking."""
        self._forget_later()
        told = _advertised(advertisement)
        if not self._shown:
            self._shown = True
            self._properties.update(told)
            methods = {"Connect": self._connect, "Disconnect": self._disconnect}
            self._tree.add(self.path, Interface(INTERFACE, self._properties, methods))
        elif now_s - self._told_at_s >= _RSSI_EVERY_S or "RSSI" not in self._properties:
            changed = {k: v for k, v in told.items() if k == "RSSI" or self._properties.get(k) != v}
            self._tree.change(self.path, INTERFACE, changed)
        else:
            return
        self._told_at_s = now_s

    def looking_ended(self) -> None:
        """Signal strength is known only while somebody looks."""
        if "RSSI" in self._properties:
            self._tree.change(self.path, INTERFACE, {}, ("RSSI",))

    def _forget_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_FORGET_AFTER_S, self._time_is_over)

    def _time_is_over(self) -> None:
        if self._link is None and self._connecting is None:
            self._forget(self.address)
        else:
            self._forget_later()

    # Link -------------------------------------------------------------------------------------------------

    async def _connect(self, call: Message) -> Reply:
        if self._link is not None:
            return None
        if self._connecting is not None:
            raise DBusRefusal("InProgress", "Operation already in progress")
        self._connecting = asyncio.get_running_loop().create_task(self._radio.connect(self.address, _CONNECT_TIMEOUT_S))
        try:
            await asyncio.wait([self._connecting])
            if self._connecting.cancelled():
                raise DBusRefusal("Failed", "br-connection-canceled")
            error = self._connecting.exception()
            if error is not None:
                raise DBusRefusal("Failed", str(error) or "Connection timed out") from None
            link = self._connecting.result()
        except asyncio.CancelledError:
            attempt = self._connecting
            if not attempt.cancel() and not attempt.cancelled() and attempt.exception() is None:
                self._link = attempt.result()  # made in the very moment: for close to end, or the sensor stays taken
            raise
        finally:
            self._connecting = None
        if not self._radio.holds(link):  # hung up on before anybody could listen for its end
            raise DBusRefusal("Failed", "le-connection-abort-by-remote")
        services = RemoteServices(self._tree, self.path, link)
        self._link, self._services = link, services
        link.on("disconnection", lambda _reason: self._link_ended(link))
        self._tree.change(self.path, INTERFACE, {"Connected": Variant("b", True)})
        self._spawn(self._resolve(link, services))
        return None

    async def _resolve(self, link: Any, services: RemoteServices) -> None:
        try:
            uuids = await services.discover()
        except DBusRefusal:
            if self._link is link:  # else it ended by itself, which its client was told
                await self._radio.hang_up(link)
            return
        resolved = {"UUIDs": Variant("as", uuids), "ServicesResolved": Variant("b", True)}
        self._tree.change(self.path, INTERFACE, resolved)

    def _link_ended(self, link: Any) -> None:
        if self._link is not link:
            return  # told already; by now there may be another one
        self._link = None
        changed = {"ServicesResolved": Variant("b", False), "Connected": Variant("b", False)}
        self._tree.change(self.path, INTERFACE, changed)
        if self._services is not None:
            self._services.clear()
            self._services = None
        self._forget_later()

    async def _disconnect(self, call: Message) -> Reply:
        await self.hang_up()
        return None

    async def hang_up(self) -> None:
        """End the link or the attempt to make one."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        link = self._link  # also one that was made just before it could be given up
        if link is not None:
            await self._radio.hang_up(link)
            self._link_ended(link)

    def client_gone(self, client: str) -> None:
        """A bus client left: its notifications end. The link stays up, as BlueZ leaves it."""
        for job in self._services.client_gone(client) if self._services is not None else ():
            self._spawn(_unless_refused(job))

    async def close(self) -> None:
        """Drop the link and every job."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self.hang_up()
        for job in list(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._shown:
            self._tree.remove(self.path)

    def _spawn(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)


async def _unless_refused(job: Any) -> None:
    try:
        await job
    except DBusRefusal:
        return  # the link went down meanwhile


def _advertised(advertisement: Any) -> dict[str, Variant]:
    """What an advertisement says, as properties of Device1."""
    properties = {"RSSI": Variant("n", max(-127, min(20, int(advertisement.rssi))))}
    data = advertisement.data
    for kind in (AdvertisingData.SHORTENED_LOCAL_NAME, AdvertisingData.COMPLETE_LOCAL_NAME):
        raw = data.get(kind, raw=True)
        if raw:
            name = Variant("s", bytes(raw).decode("utf-8", "replace"))
            properties["Name"] = properties["Alias"] = name
    uuids = [uuid_text(uuid) for kind in _UUID_LISTS for found in data.get_all(kind) for uuid in found]
    if uuids:
        properties["UUIDs"] = Variant("as", uuids)
    makers = data.get_all(AdvertisingData.MANUFACTURER_SPECIFIC_DATA)
    if makers:
        properties["ManufacturerData"] = Variant("a{qv}", {int(m): Variant("ay", bytes(d)) for m, d in makers})
    return properties
