"""Carries out a codec's scripts: what is sent, asked and waited for."""

import asyncio
from collections.abc import Callable

from subtalar.errors import LinkError
from subtalar.protocol import Expect, Pause, Read, Script, Send
from subtalar.transport import Chunk, Transport

from .clock import SessionClock


class ScriptRunner:
    """One script at a time, over the ``transport`` of the moment; ``data_arrived`` is to be called after every chunk.

    ``check_link`` raises where the link has ended; ``on_chunk`` gets what was read.
    """

    def __init__(
        self, name: str, clock: SessionClock, check_link: Callable[[], None], on_chunk: Callable[[Chunk], None]
    ) -> None:
        self.transport: Transport | None = None
        self.may_stop_stream = False
        self._name, self._clock = name, clock
        self._check_link, self._on_chunk = check_link, on_chunk
        self._turn = asyncio.Lock()
        self._arrived = asyncio.Event()

    def data_arrived(self) -> None:
        """Something came, or the link ended: whoever waits for an answer looks again."""
        self._arrived.set()

    async def perform(self, script: Script, *, may_stop_stream: bool = False) -> None:
        """Take the script step by step. While it runs, ``may_stop_stream`` tells whether it may silence the sensor.

        Raises LinkError if there is no link or it ends meanwhile, and what the script raises.
        """
        async with self._turn:
            answer = True
            self.may_stop_stream = may_stop_stream
            try:
                step = next(script)
                while True:
                    answer = await self._take_step(step)
                    step = script.send(answer)
            except StopIteration:
                return
            finally:
                self.may_stop_stream = False
                script.close()

    async def _take_step(self, step: Send | Pause | Expect | Read) -> bool:
        if isinstance(step, Pause):
            await asyncio.sleep(step.duration_s)
            return True
        if isinstance(step, Expect):
            return await self._wait_for(step)
        transport = self.transport
        if transport is None:
            raise LinkError(f"The sensor {self._name} is not connected.")
        if isinstance(step, Send):
            await transport.write(step.data, step.to, with_response=step.with_response)
        else:
            data = await transport.read(step.source)
            self._on_chunk(Chunk(self._clock.now_ns(), data, step.source))
        return True

    async def _wait_for(self, step: Expect) -> bool:
        deadline = asyncio.get_running_loop().time() + step.timeout_s
        while not step.until():
            self._check_link()
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._arrived.wait()
            except TimeoutError:
                return step.until()
        return True
