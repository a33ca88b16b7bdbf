r"""The live session in shared memory: the acquisition process writes, any number of windows read.

One ``RingWriter`` per session; ``RingReader``\ s come and go, and may be killed, without the writer noticing.
The name of the writer is all a reader needs; ``find_sessions`` lists those that run.
"""

from subtalar.acquisition.ring.channel import Batch
from subtalar.acquisition.ring.reader import RingReader, WriterState, find_sessions
from subtalar.acquisition.ring.rows import SessionFacts, SessionState
from subtalar.acquisition.ring.writer import RingWriter

__all__ = ["Batch", "RingReader", "RingWriter", "SessionFacts", "SessionState", "WriterState", "find_sessions"]
