"""The service's connection to the message bus: everything leaves through one queue."""

import asyncio
import contextlib
import select
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from dbus_fast import AuthError, Message, MessageType, RequestNameReply
from dbus_fast.aio import MessageBus

_FULL_S: Final = 0.001
"""How long a full socket is left alone."""
_BUS_NAME: Final = "org.freedesktop.DBus"
_BUS_PATH: Final = "/org/freedesktop/DBus"


class BusConnection:
    """One connection that owns a name. ``on_call`` gets the method calls and says whether it answers them;
    ``on_client_gone`` the unique names of clients that left; ``on_end`` is told once if the bus goes away.
    """

    def __init__(
        self,
        on_call: Callable[[Message], bool],
        on_client_gone: Callable[[str], None],
        on_end: Callable[[], None],
    ) -> None:
        self._on_call, self._on_client_gone, self._on_end = on_call, on_client_gone, on_end
        self._bus: MessageBus | None = None
        self._poll = select.poll()
        self._outbox: deque[Message] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None

    async def open(self, address: str, name: str) -> None:
        """Connect and own ``name``. Raises OSError if there is no bus or the name is taken."""
        bus = MessageBus(bus_address=address)
        try:
            await bus.connect()
        except (EOFError, AuthError) as error:
            raise ConnectionResetError("the message bus went away") from error
        bus.add_message_handler(self._received)
        gone = f"type='signal',sender='{_BUS_NAME}',interface='{_BUS_NAME}',member='NameOwnerChanged',arg2=''"
        await bus.call(
            Message(_BUS_NAME, _BUS_PATH, _BUS_NAME, member="AddMatch", signature="s", body=[gone]),
        )
        assert bus._fd is not None  # dbus-fast does not tell its socket otherwise
        self._poll.register(bus._fd, select.POLLOUT)
        self._bus = bus
        self._watch = asyncio.create_task(self._until_the_end(bus))
        if await bus.request_name(name) != RequestNameReply.PRIMARY_OWNER:
            await self.close()
            raise OSError(f"somebody else is {name} on this message bus already")

    async def close(self) -> None:
        """Leave as a process does that is killed: the socket closes, nothing is said."""
        bus, self._bus = self._bus, None
        watch, self._watch = self._watch, None
        self._outbox.clear()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if bus is not None and bus.connected:
            bus.disconnect()
        if watch is not None and watch is not asyncio.current_task():
            await watch

    def send(self, message: Message) -> None:
        """Queue. Nothing is lost or reordered while there is a bus; afterwards there is nobody to tell."""
        if self._bus is not None:
            self._outbox.append(message)
            if self._retry is None:
                self._flush()

    def _flush(self) -> None:
        # dbus-fast gives the whole bus up when the socket is full for a moment (EAGAIN): look first.
        self._retry = None
        while self._outbox and self._bus is not None:
            if not any(event & select.POLLOUT for _, event in self._poll.poll(0)):
                self._retry = asyncio.get_running_loop().call_later(_FULL_S, self._flush)
                return
            try:
                sent = self._bus.send(self._outbox.popleft())
            except OSError:  # the bus has just died; _until_the_end is about to say so
                self._outbox.clear()
                return
            sent.add_done_callback(_ignore)

    def _received(self, message: Message) -> bool:
        if message.message_type is MessageType.METHOD_CALL:
            return self._on_call(message)
        if message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged":
            name, _, new_owner = message.body
            if name.startswith(":") and not new_owner:
                self._on_client_gone(name)
        return False

    async def _until_the_end(self, bus: MessageBus) -> None:
        with contextlib.suppress(OSError, EOFError):
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        if self._bus is bus:
            await self.close()
            self._on_end()


def _ignore(sent: "asyncio.Future[Any]") -> None:
    """A message that the dying bus did not take: look at the error, or asyncio complains of it."""
    if not sent.cancelled():
        sent.exception()
