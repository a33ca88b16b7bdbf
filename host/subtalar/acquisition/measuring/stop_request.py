"""The request to end a session."""

import asyncio


class StopRequest:
    """Asked to end: by the person, by the duration, by a signal."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def set(self) -> None:
        """End soon and in order."""
        self.event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether the end was asked for."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self.event.wait()
        except TimeoutError:
            pass
        return self.event.is_set()
