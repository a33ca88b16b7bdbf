"""A private ``org.bluez`` on a private message bus, so that bleak's own BlueZ code reaches simulated sensors. Linux.

``private.PrivateBlueZ`` is both together; DBUS_SYSTEM_BUS_ADDRESS leads other programs there, unchanged. What the
service says and refuses follows the interface documents of BlueZ (https://github.com/bluez/bluez/tree/master/doc) and
what bleak 3.1 expects of it. Left out: pairing, several adapters, ``AcquireNotify``, the server side.
"""
