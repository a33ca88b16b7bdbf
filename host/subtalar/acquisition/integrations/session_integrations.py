"""What accompanies a session when it is asked for: LSL streams out, markers in."""

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from subtalar.acquisition.integrations.marker_port import marker_port
from subtalar.acquisition.measuring.engine import Engine
from subtalar.acquisition.plan import Integrations


class SessionIntegrations:
    """An async context around a session; ``join`` it to the engine once that exists.

    Entering raises LinkError where a port is taken.
    """

    def __init__(self, wanted: Integrations, session_name: str) -> None:
        self._wanted, self._name = wanted, session_name
        self._engine: Engine | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._wanted.marker_port is not None:
            await self._stack.enter_async_context(marker_port(self._wanted.marker_port, self._mark))
        if self._wanted.lsl or self._wanted.lsl_markers is not None:
            from subtalar.acquisition.integrations.lsl_outlets import keep_lsl_quiet

            keep_lsl_quiet()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def join(self, engine: Engine) -> None:
        """From now on the engine's session is heard and marked."""
        self._engine = engine
        if self._wanted.lsl:
            from subtalar.acquisition.integrations.lsl_outlets import LslOutlets

            outlets = LslOutlets(engine.clock, self._name)
            engine.add_listener(outlets)
            self._stack.callback(outlets.close)
        if self._wanted.lsl_markers is not None:
            from subtalar.acquisition.integrations.lsl_markers import LslMarkers

            markers = LslMarkers(engine.clock, self._wanted.lsl_markers, self._mark_from_thread)
            self._stack.callback(markers.close)

    def _mark(self, text: str, time_s: float | None) -> None:
        if self._engine is not None:
            self._engine.mark(text, time_s)

    def _mark_from_thread(self, text: str, time_s: float) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._mark, text, time_s)
