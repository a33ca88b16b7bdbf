"""Every error that a user may meet: one sentence that says what is wrong and what to do.

Foreign exceptions (bleak, pyserial, mcap, OS) are translated into these at the seam where they arise.
The command line prints the sentence on stderr and exits with 1.
"""


class SubtalarError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is one clear sentence."""


class InputError(SubtalarError):
    """A file, folder or recording cannot be used as it is."""


class LinkError(SubtalarError):
    """A sensor or port cannot be reached, or stopped answering."""


class RecordingError(SubtalarError):
    """A recording cannot be written, or somebody else is writing it."""
