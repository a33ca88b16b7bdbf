"""What a format has to do."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from subtalar.exports.content import GaitResults, Options
from subtalar.exports.session_time import TimedBlock
from subtalar.exports.target_folder import Target
from subtalar.session.model import Session
from subtalar.types import AngleBlock


class FormatWriter(ABC):
    """Is handed a session in order and writes into a folder of its own; used as a context.

    ``target`` is where the files will be in the end, to read what an earlier export left there; nothing is written to
    it. Files opened on ``self.files`` are closed at the end, whatever happens. OSError passes through.
    """

    shared: ClassVar[frozenset[str]] = frozenset()
    """Names of files that all sessions exported to a folder have in common."""

    def __init__(self, folder: Path, target: Target, session: Session, options: Options) -> None:
        self.folder = folder
        self.target = target
        self.session = session
        self.options = options
        self.files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.files.close()

    @abstractmethod
    def add_samples(self, block: TimedBlock) -> None:
        """The next samples of one sensor."""

    @abstractmethod
    def add_angles(self, block: AngleBlock) -> None:
        """The next angles of one side."""

    @abstractmethod
    def finish(self, results: GaitResults) -> None:
        """The end; raises InputError where nothing in the session fits the format."""
