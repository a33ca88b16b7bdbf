"""D-Bus objects with properties and methods, as data: ObjectManager, Properties and the calls of a service.

D-Bus specification 0.41, "Standard Interfaces". dbus-fast's own service classes answer past the queue of
``connection``, and describe each object by a class of its own; here an object is a few dictionaries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from dbus_fast import Message, Variant

_OBJECT_MANAGER: Final = "org.freedesktop.DBus.ObjectManager"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_UNKNOWN: Final = "org.freedesktop.DBus.Error.Unknown"

Reply: TypeAlias = tuple[str, list[Any]] | None
"""Signature and values that a method returns; None = nothing."""
Method: TypeAlias = Callable[[Message], Awaitable[Reply]]


class DBusRefusal(Exception):  # noqa: N818 (an answer to a client, not a failure of the service)
    """A method answers with an error. ``name`` without dots is one of ``org.bluez.Error``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name if "." in name else f"org.bluez.Error.{name}"
        self.text = text


@dataclass
class Interface:
    """One interface of one object."""

    name: str
    properties: dict[str, Variant]
    methods: Mapping[str, Method] = field(default_factory=dict)


class ObjectTree:
    """The objects of a service. Changes are told to the bus through ``send`` in their order."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._objects: dict[str, dict[str, Interface]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, path: str, *interfaces: Interface) -> None:
        """A new object appears."""
        self._objects[path] = {i.name: i for i in interfaces}
        told = {i.name: dict(i.properties) for i in interfaces}
        self._send(Message.new_signal("/", _OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, told]))

    def remove(self, path: str) -> None:
        """An object disappears."""
        names = list(self._objects.pop(path, {}))
        if names:
            self._send(Message.new_signal("/", _OBJECT_MANAGER, "InterfacesRemoved", "oas", [path, names]))

    def change(
        self, path: str, interface: str, changed: Mapping[str, Variant], invalidated: tuple[str, ...] = ()
    ) -> None:
        """Properties take new values, or none."""
        held = self._objects.get(path, {}).get(interface)
        if held is None:
            return
        held.properties.update(changed)
        for name in invalidated:
            held.properties.pop(name, None)
        body = [interface, dict(changed), list(invalidated)]
        self._send(Message.new_signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", body))

    def answer(self, call: Message) -> bool:
        """Take a method call; False leaves it to dbus-fast (introspection, ping)."""
        if call.interface == _OBJECT_MANAGER and call.member == "GetManagedObjects":
            objects = {p: {n: dict(i.properties) for n, i in o.items()} for p, o in self._objects.items()}
            self._send(Message.new_method_return(call, "a{oa{sa{sv}}}", [objects]))
            return True
        if call.path not in self._objects and call.interface is not None and call.interface.startswith("org.bluez."):
            refusal = DBusRefusal(f"{_UNKNOWN}Object", f"there is no object {call.path}")
            self._send(Message.new_error(call, refusal.name, refusal.text))
            return True
        held = self._objects.get(call.path or "", {})
        if call.interface == _PROPERTIES:
            self._spawn(self._reply(call, self._property_call))
            return True
        if call.interface in held:
            self._spawn(self._reply(call, held[call.interface].methods.get(call.member or "", _unknown_method)))
            return True
        return False

    def clear(self) -> None:
        """The service is gone: forget everything, tell nobody."""
        self._objects.clear()
        for task in self._tasks:
            task.cancel()

    def _spawn(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, call: Message, method: Method) -> None:
        try:
            signature, body = await method(call) or ("", [])
        except DBusRefusal as refusal:
            self._send(Message.new_error(call, refusal.name, refusal.text))
        else:
            self._send(Message.new_method_return(call, signature, body))

    async def _property_call(self, call: Message) -> Reply:
        interface = self._objects.get(call.path or "", {}).get(call.body[0])
        if interface is None:
            raise DBusRefusal(f"{_UNKNOWN}Interface", f"{call.path} has no interface {call.body[0]}")
        if call.member == "GetAll":
            return "a{sv}", [dict(interface.properties)]
        if call.member == "Get" and call.body[1] in interface.properties:
            return "v", [interface.properties[call.body[1]]]
        if call.member == "Set":
            raise DBusRefusal("org.freedesktop.DBus.Error.PropertyReadOnly", f"{call.body[1]} cannot be set")
        raise DBusRefusal(f"{_UNKNOWN}Property", f"{interface.name} has no property {call.body[1:2]}")


async def _unknown_method(call: Message) -> Reply:
    raise DBusRefusal(f"{_UNKNOWN}Method", f"{call.interface} has no method {call.member}")
