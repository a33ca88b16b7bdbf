"""Recordings: write so that a crash costs a second at most, read, recover, import other formats."""

from subtalar.session.durable_file import check_new
from subtalar.session.info import session_info, verify
from subtalar.session.model import MINIMUM_DURATION_S, Annotation, Session, SessionKind
from subtalar.session.opening import open_session
from subtalar.session.paths import checkout_around, default_recording_path, earlier_folders, recordings_folder
from subtalar.session.recording.format.messages import ArrivedBlock, RawChunk, StatusSnapshot
from subtalar.session.recording.read.item_stream import read_header, read_items
from subtalar.session.recording.read.reader import read_blocks
from subtalar.session.recording.repair.verify import VerifyReport, recover
from subtalar.session.recording.write.continuation import Continuation
from subtalar.session.recording.write.recorder import Recorder

__all__ = [
    "MINIMUM_DURATION_S",
    "Annotation",
    "ArrivedBlock",
    "Continuation",
    "RawChunk",
    "Recorder",
    "Session",
    "SessionKind",
    "StatusSnapshot",
    "VerifyReport",
    "check_new",
    "checkout_around",
    "default_recording_path",
    "earlier_folders",
    "open_session",
    "read_blocks",
    "read_header",
    "read_items",
    "recordings_folder",
    "recover",
    "session_info",
    "verify",
]
