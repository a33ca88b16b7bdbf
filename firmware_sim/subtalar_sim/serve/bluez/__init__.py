"""A private ``org.bluez`` on a private message bus, so that bleak's own BlueZ code reaches simulated sensors. Linux.

``PrivateBlueZ`` is both together. Other programs, unchanged, are led there by ``DBUS_SYSTEM_BUS_ADDRESS``. What the
service says and refuses follows the interface documents of BlueZ (https://github.com/bluez/bluez/tree/master/doc) and
what bleak 3.1 expects of it. Left out: pairing, several adapters, ``AcquireNotify``, the server side.
"""

from subtalar_sim.serve.bluez.private import PrivateBlueZ, private_bluez

__all__ = ["PrivateBlueZ", "private_bluez"]
