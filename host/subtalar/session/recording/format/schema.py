"""The protobuf messages of a recording, built in code: there is no compiler step, and the file carries its schema.

Field numbers are for ever. A new field gets a new number; a number is never used again for something else.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from subtalar.anatomy import ANGLES, ANKLE_COUNT, SIDES
from subtalar.strides import STRIDE_COLUMNS

PACKAGE: Final = "subtalar.recording"
FORMAT_VERSION: Final = 2
PROFILE: Final = "subtalar"
"""Of the MCAP header."""
HEADER_METADATA: Final = "subtalar.header"
"""The metadata record that holds the session header once more."""

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES: Final = {
    "double": _Field.TYPE_DOUBLE,
    "int64": _Field.TYPE_INT64,
    "uint64": _Field.TYPE_UINT64,
    "uint32": _Field.TYPE_UINT32,
    "bool": _Field.TYPE_BOOL,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}

_STRIDE_TYPES: Final = {"number": "double?", "integer": "int64", "word": "string"}
_BEGINNING: Final = tuple(k for k, angle in enumerate(ANGLES) if angle.recorded_as is None)
_OWN: Final = {k: angle for k, angle in enumerate(ANGLES) if angle.recorded_as is not None}
ANGLE_FIELDS: Final[dict[str, tuple[int, ...]]] = {
    "angles_deg": _BEGINNING[:ANKLE_COUNT],
    "further_deg": _BEGINNING[ANKLE_COUNT:],
    **{f"{angle.name}_deg": (k,) for k, angle in _OWN.items()},
}
ANGLE_SD_FIELDS: Final[dict[str, tuple[int, ...]]] = {
    "sd_deg": _BEGINNING[:ANKLE_COUNT],
    "further_sd_deg": _BEGINNING[ANKLE_COUNT:],
    **{f"{angle.name}_sd_deg": (k,) for k, angle in _OWN.items()},
}
"""Which of ``anatomy.ANGLES`` stand in a row of each field of ``Angles``, and of which the standard deviations do."""

# message -> field -> (number, type). "double*" is repeated, "double?" may be absent, another message by its name.
_MESSAGES: Final[dict[str, dict[str, tuple[int, str]]]] = {
    "Sensor": {
        "site": (1, "string"),
        "rate_hz": (2, "double"),
        "acc_range_m_s2": (3, "double?"),
        "gyr_range_rad_s": (4, "double?"),
        "model": (5, "string"),
        "address": (6, "string"),
    },
    "SessionHeader": {
        "format_version": (1, "uint32"),
        "software_version": (2, "string"),
        "start_utc": (3, "string"),
        "sensors": (4, "Sensor*"),
        "configuration_json": (5, "string"),
        # One for each recording, kept by a recovered copy; empty in older files.
        "recording_id": (6, "string"),
        # Where a recording that is a part of something comes from: keys "kind" (continuation, trimmed), "of", "of_id".
        "origin_json": (7, "string"),
    },
    # Several blocks of one sensor, one after the other. Rows of acc and gyr are x, y, z: doubles, or, where that gives
    # the same bits, little-endian int16 (since version 2), each value being the count times what one count stands for.
    "Samples": {
        "site": (1, "string"),
        "group": (2, "uint64"),
        "block_sequence": (3, "uint64*"),
        "block_length": (4, "uint32*"),
        "block_arrival_s": (5, "double*"),
        "has_device_time": (6, "bool"),
        "has_host_time": (7, "bool"),
        "device_time_s": (8, "double*"),
        "host_time_s": (9, "double*"),
        "acc_m_s2": (10, "double*"),
        "gyr_rad_s": (11, "double*"),
        "acc_counts": (12, "bytes"),
        "acc_m_s2_per_count": (13, "double"),
        "gyr_counts": (14, "bytes"),
        "gyr_rad_s_per_count": (15, "double"),
    },
    "RawBytes": {
        "site": (1, "string"),
        "sequence": (2, "uint64*"),
        "arrival_s": (3, "double*"),
        "data": (4, "bytes*"),
    },
    # Rows of angles and sd are dorsiflexion, inversion, tibial rotation; of shank_orientation w, x, y, z; of further
    # angles and their sd subtalar, foot pitch, foot inversion, shank sagittal, shank frontal (empty: none known).
    "Angles": {
        "side": (1, "string"),
        "time_s": (2, "double*"),
        "angles_deg": (3, "double*"),
        "sd_deg": (4, "double*"),
        "quality": (5, "bytes"),
        "shank_orientation": (6, "double*"),
        "further_deg": (7, "double*"),
        "further_sd_deg": (8, "double*"),
        "zero_sd_deg": (9, "double*"),
        # Angles that came later have fields of their own, with the numbers that the registry gives them.
        **{f"{a.name}_deg": (a.recorded_as or 0, "double*") for a in _OWN.values()},
        **{f"{a.name}_sd_deg": ((a.recorded_as or 0) + 1, "double*") for a in _OWN.values()},
    },
    "Event": {"side": (1, "string"), "kind": (2, "string"), "time_s": (3, "double"), "detected_s": (4, "double")},
    # "measured_by" came later than the others: an older file says nothing of it.
    "Stride": {
        c.name: (c.number, "string?" if c.name == "measured_by" else _STRIDE_TYPES[c.kind]) for c in STRIDE_COLUMNS
    },
    "Notice": {
        "time_s": (1, "double"),
        "level": (2, "string"),
        "code": (3, "string"),
        "text": (4, "string"),
        "side": (5, "string?"),
        "site": (6, "string?"),
    },
    "Status": {
        "site": (1, "string"),
        "link": (2, "string"),
        "rate_hz": (3, "double?"),
        "battery_percent": (4, "double?"),
        "received": (5, "int64"),
        "lost": (6, "int64"),
        "lost_is_estimated": (7, "bool"),
        "duplicated": (8, "int64"),
        "corrupt_bytes": (9, "int64"),
        "reconnects": (10, "int64"),
        "clock_drift_ppm": (11, "double?"),
        "delay_ms": (12, "double?"),
        "clock_jumps": (13, "int64"),
    },
    "StatusSnapshot": {"time_s": (1, "double"), "sensors": (2, "Status*")},
    "Marker": {"label": (1, "string"), "start_s": (2, "double"), "end_s": (3, "double")},
    # Vectors of three are x, y, z; placements are w, x, y, z, sensor axes into segment axes. Empty: not known.
    "Calibration": {
        "side": (1, "string"),
        "time_s": (2, "double"),
        "axis_from": (3, "string"),
        "strides": (4, "int64"),
        "foot_placement": (5, "double*"),
        "shank_placement": (6, "double*"),
        "shank_axis": (7, "double*"),
        "foot_lever_m": (8, "double*"),
        "shank_lever_m": (9, "double*"),
        "foot_acc_bias_m_s2": (10, "double*"),
        "shank_acc_bias_m_s2": (11, "double*"),
        "acc_bias_sd_m_s2": (12, "double?"),
        "heading_rad": (13, "double?"),
        "mismatch": (14, "double?"),
        "clock_offset_s": (15, "double?"),
    },
    "SiteTotals": {"site": (1, "string"), "samples": (2, "uint64"), "status": (3, "Status?")},
    "Totals": {
        "first_arrival_s": (1, "double?"),
        "last_arrival_s": (2, "double?"),
        "sites": (3, "SiteTotals*"),
        "strides": (4, "uint64"),
    },
}


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="subtalar/recording.proto", package=PACKAGE, syntax="proto3")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field_name, (number, spec) in fields.items():
            kind = spec.rstrip("*?")
            field = message.field.add(name=field_name, number=number)
            field.label = _Field.LABEL_REPEATED if spec.endswith("*") else _Field.LABEL_OPTIONAL
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            if spec.endswith("?") and kind in _TYPES:
                # How proto3 spells "may be absent": a one-of with a single member.
                field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
    return file


_FILE: Final = _describe()
_POOL: Final = descriptor_pool.DescriptorPool()
_POOL.Add(_FILE)

SCHEMA_BYTES: Final = descriptor_pb2.FileDescriptorSet(file=[_FILE]).SerializeToString()
"""What MCAP's ``protobuf`` schema encoding wants: a serialised FileDescriptorSet."""


def message_class(name: str) -> Any:
    """The class of a message by its name here, such as ``Samples``."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


SESSION_TOPIC: Final = "/session"
TOTALS_TOPIC: Final = "/totals"
CALIBRATION_TOPIC: Final = "/calibration"


def topics(sites: list[str]) -> dict[str, str]:
    """Topic -> message name of a recording with these sensors, in the order in which channels are numbered from 1."""
    return {
        SESSION_TOPIC: "SessionHeader",
        **{f"/samples/{site}": "Samples" for site in sites},
        **{f"/raw/{site}": "RawBytes" for site in sites},
        **{f"/angles/{side}": "Angles" for side in SIDES},
        "/events": "Event",
        "/strides": "Stride",
        "/notices": "Notice",
        "/status": "StatusSnapshot",
        "/markers": "Marker",
        TOTALS_TOPIC: "Totals",
        # Newer topics stand last: a file whose list of channels is damaged is read by their numbers.
        CALIBRATION_TOPIC: "Calibration",
    }
