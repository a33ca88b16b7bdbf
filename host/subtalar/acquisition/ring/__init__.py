r"""The live session in shared memory: the acquisition process writes, any number of windows read.

One ``RingWriter`` per session; ``RingReader``\ s come and go, and may be killed, without the writer noticing.
The name of the writer is all a reader needs; ``find_sessions`` lists those that run.
"""

from subtalar.acquisition.ring.ends import (
    Batch,
    RingReader,
    RingWriter,
    SessionFacts,
    SessionState,
    WriterState,
    find_sessions,
)

__all__ = ["Batch", "RingReader", "RingWriter", "SessionFacts", "SessionState", "WriterState", "find_sessions"]
