"""Other programs beside a session, as far as they are asked for: LSL streams out, markers in."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from subtalar.acquisition.commands import Command, Mark
from subtalar.acquisition.integrations.marker_port import marker_port
from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.plan import Integrations


class SessionIntegrations:
    """An async context around a session; ``attach`` it to the engine once that exists.

    ``on_command`` is called on the event loop with the markers that come in. Entering raises LinkError where a port is
    taken.
    """

    def __init__(self, wanted: Integrations, session_name: str, on_command: Callable[[Command], None]) -> None:
        self._wanted, self._session_name = wanted, session_name
        self._on_command = on_command
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._wanted.marker_port is not None:
            await self._stack.enter_async_context(marker_port(self._wanted.marker_port, self._on_command))
        if self._wanted.lsl or self._wanted.lsl_markers is not None:
            from subtalar.acquisition.integrations.lsl_library import keep_lsl_quiet

            keep_lsl_quiet()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def attach(self, engine: Engine) -> None:
        """From now on the engine's session is sent out, and LSL markers come in."""
        if self._wanted.lsl:
            from subtalar.acquisition.integrations.lsl_outlets import LslOutlets

            outlets = LslOutlets(engine.clock, self._session_name)
            engine.add_listener(outlets)
            self._stack.callback(outlets.close)
        if self._wanted.lsl_markers is not None:
            from subtalar.acquisition.integrations.lsl_markers import LslMarkers

            markers = LslMarkers(engine.clock, self._wanted.lsl_markers, self._mark_from_thread)
            self._stack.callback(markers.close)

    def _mark_from_thread(self, text: str, time_s: float) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_command, Mark(text, time_s))
