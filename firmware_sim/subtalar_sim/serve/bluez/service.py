"""The ``org.bluez`` service: alive, killed, alive again."""

from dbus_fast import Message

from subtalar_sim.serve.bluez.adapter import Adapter
from subtalar_sim.serve.bluez.connection import BusConnection
from subtalar_sim.serve.bluez.objects import ObjectTree
from subtalar_sim.serve.radio import Radio


class BlueZService:
    """Everything that ``bluetoothd`` is to a client, on the bus at ``bus_address``."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._connection: BusConnection | None = None
        self._tree: ObjectTree | None = None
        self._adapter: Adapter | None = None

    async def start(self, bus_address: str) -> None:
        """Begin with nothing known. Raises OSError if there is no bus, or an ``org.bluez`` already."""
        connection = BusConnection(self._on_call, self._on_client_gone, self._on_bus_end)
        tree = ObjectTree(connection.send)
        await connection.open(bus_address, "org.bluez")
        self._connection, self._tree = connection, tree
        self._adapter = Adapter(tree, self._radio)

    async def kill(self) -> None:
        """Die without a word to any client. The links end, because nobody holds them any more."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        self._forget()
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            await adapter.close()

    def _forget(self) -> None:
        tree, self._tree = self._tree, None
        if tree is not None:
            tree.clear()

    def _on_call(self, call: Message) -> bool:
        return self._tree is not None and self._tree.answer(call)

    def _on_client_gone(self, client: str) -> None:
        if self._adapter is not None:
            self._adapter.client_gone(client)

    def _on_bus_end(self) -> None:
        self._forget()
