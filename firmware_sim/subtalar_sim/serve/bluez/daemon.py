"""A ``dbus-daemon`` of one's own, in a folder that nobody else may enter."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

_START_TIMEOUT_S: Final = 10.0
_CONFIG: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"""
# Daemon and folder must not outlive whoever made them, however that one ends: the shell waits for the end of its input.
_SUPERVISOR: Final = (
    'dbus-daemon --config-file="$0" --nofork --nopidfile --print-address 2>"$0.log" &'
    ' cat >/dev/null; kill -9 $!; wait; rm -rf "${0%/*}"'
)


def why_no_message_bus() -> str:
    """Why there can be no private message bus on this machine; empty if there can."""
    if sys.platform != "linux":
        return "a private message bus needs Linux"
    if shutil.which("dbus-daemon") is None:
        return "the program dbus-daemon is not installed (Debian: apt-get install dbus-daemon)"
    return ""


class MessageBusDaemon:
    """Can be killed and started again under the same ``address``."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._supervisor: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """What goes into DBUS_SYSTEM_BUS_ADDRESS."""
        return f"unix:path={self._folder}/bus"

    async def start(self) -> None:
        """Return when clients can connect. Raises OSError where that cannot be."""
        problem = why_no_message_bus()
        if problem:
            raise OSError(problem)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="subtalar-bus-"))
        else:
            self._folder.mkdir(mode=0o700)
        config = self._folder / "bus.conf"
        config.write_text(_CONFIG.format(socket=self._folder / "bus"), "utf-8")
        self._supervisor = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            _SUPERVISOR,
            str(config),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us to handle
        )
        assert self._supervisor.stdout is not None
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                ready = await self._supervisor.stdout.readline()
        except TimeoutError:
            ready = b""
        if not ready:
            said = (self._folder / "bus.conf.log").read_text("utf-8", "replace").strip().splitlines()
            await self.kill()
            raise OSError(f"dbus-daemon did not start ({said[-1] if said else 'and does not say why'})")

    async def kill(self) -> None:
        """The daemon dies at once (SIGKILL), every connection with it; nothing is left behind."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        assert supervisor.stdin is not None
        supervisor.stdin.close()
        # To its end, because a pipe that is not read to its end is never closed.
        await supervisor.communicate()
