"""Recordings: write so that a crash costs a second at most, read, recover, import other formats."""

from subtalar.session.info import session_info, verify
from subtalar.session.model import MINIMUM_DURATION_S, Annotation, Session, SessionKind
from subtalar.session.opening import open_session
from subtalar.session.paths import checkout_around, default_recording_path, earlier_folders, recordings_folder
from subtalar.session.recording.durable_file import check_new
from subtalar.session.recording.hand_over import HandOver
from subtalar.session.recording.messages import ArrivedBlock, RawChunk, StatusSnapshot
from subtalar.session.recording.reader import read_blocks
from subtalar.session.recording.recorder import Recorder
from subtalar.session.recording.stream import read_header, read_items
from subtalar.session.recording.verify import VerifyReport, recover

__all__ = [
    "MINIMUM_DURATION_S",
    "Annotation",
    "ArrivedBlock",
    "HandOver",
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
