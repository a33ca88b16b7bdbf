"""Device specs: ``right_foot=ble:AA:BB:CC:DD:EE:FF,model=witmotion,rate=100`` and the like."""

import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from subtalar.errors import InputError
from subtalar.protocol import DeviceProtocol, find_model
from subtalar.types import BodySite

TransportKind = Literal["ble", "serial", "tcp", "udp"]
_KINDS: Final = get_args(TransportKind)
_DEFAULT_MODEL: Final[dict[TransportKind, str]] = {
    "ble": "witmotion",
    "serial": "ximu3",
    "tcp": "ximu3",
    "udp": "ximu3",
}
_ADDRESS: Final = re.compile(
    r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE
)
_UNITS: Final = {
    "rate": ("rate", "Hz", "100"),
    "acc": ("accelerometer range", "g", "16"),
    "gyr": ("gyroscope range", "°/s", "2000"),
}
_LONGEST_SHOWN: Final = 63
_EXAMPLE: Final = "right_foot=ble:AA:BB:CC:DD:EE:FF or right_foot=serial:/dev/ttyACM0,model=ximu3,rate=100"


@dataclass(frozen=True)
class DeviceSpec:
    """Where a sensor is reached, where it sits and what it is.

    Rate and ranges: None = the model's default; ``baud_rate``, on serial ports only, likewise.
    """

    kind: TransportKind
    address: str
    model: str
    rate_hz: float | None = None
    site: BodySite | None = None
    baud_rate: int | None = None
    acc_range_g: float | None = None
    gyr_range_deg_s: float | None = None

    @property
    def key(self) -> str:
        """What tells one device from another."""
        return f"{self.kind}:{self.address}".lower()

    def make_protocol(self) -> DeviceProtocol:
        """A fresh codec with this rate and these ranges. Raises InputError for what the model does not offer."""
        protocol = find_model(self.model).protocol(self.rate_hz)
        protocol.choose_ranges(self.acc_range_g, self.gyr_range_deg_s)
        return protocol

    def __str__(self) -> str:
        site = f"{self.site}=" if self.site else ""
        numbers = (self.rate_hz, self.acc_range_g, self.gyr_range_deg_s)
        options = "".join(f",{key}={value:g}" for key, value in zip(_UNITS, numbers, strict=True) if value is not None)
        baud = f",baud={self.baud_rate}" if self.baud_rate is not None else ""
        return f"{site}{self.kind}:{self.address},model={self.model}{options}{baud}"


def parse_spec(text: str, *, need_site: bool = True) -> DeviceSpec:
    """Read a device spec. ``need_site`` False also takes one without ``right_foot=`` in front.

    Raises InputError with one sentence on the first mistake.
    """
    head, *options = text.strip().split(",")
    site_text, equals, target = head.partition("=")
    site: BodySite | None = None
    # An address may hold "=" of its own; a site never holds ":".
    if equals and ":" not in site_text:
        site = _site(site_text.strip())
    elif need_site:
        raise InputError(f"The device {text!r} does not say where the sensor sits: write it as {_EXAMPLE}.")
    else:
        target = head
    kind_text, colon, address = target.strip().partition(":")
    if not colon or kind_text.lower() not in _KINDS:
        raise InputError(
            f"The device {text!r} does not say how to reach the sensor ({', '.join(f'{k}:' for k in _KINDS)}): "
            f"write it as {_EXAMPLE}."
        )
    kind = cast(TransportKind, kind_text.lower())
    address = _checked_address(kind, address.strip())
    values = _options(text, options)
    model = find_model(values.get("model", _DEFAULT_MODEL[kind]))
    if kind not in model.transports:
        reached = " or ".join(model.transports)
        raise InputError(f"The {model.title} is reached over {reached}, not over {kind}.")
    rate_hz, acc_g, gyr_deg_s = (_number(key, values.get(key)) for key in _UNITS)
    baud_rate = _baud(kind, values["baud"]) if "baud" in values else None
    spec = DeviceSpec(kind, address, model.name, rate_hz, site, baud_rate, acc_g, gyr_deg_s)
    spec.make_protocol()  # a rate that is not offered is found here, not after connecting
    return spec


def _site(text: str) -> BodySite:
    try:
        return BodySite(text)
    except ValueError:
        raise InputError(f"There is no place {text!r} on the leg: use one of {', '.join(BodySite)}.") from None


def _checked_address(kind: TransportKind, address: str) -> str:
    if not address:
        raise InputError(f"The address after {kind}: is missing: write it as {_EXAMPLE}.")
    if not address.isprintable():  # nor is what a shell makes of bytes that are no UTF-8
        raise InputError(f"The address {address!r} holds a character that cannot be shown: type it again.")
    if kind == "ble" and not _ADDRESS.fullmatch(address):
        raise InputError(
            f"{address!r} is no Bluetooth address: it looks like AA:BB:CC:DD:EE:FF "
            "(on a Mac like 01234567-89AB-CDEF-0123-456789ABCDEF); 'subtalar devices scan' lists them."
        )
    if kind == "tcp":
        split_host_port(address)
    if kind == "udp":
        split_udp_address(address)
    return address


def split_host_port(address: str) -> tuple[str, int]:
    """Host and port of ``host:port``; an IPv6 host stands in brackets. Raises InputError."""
    host, _, port = address.rpartition(":")
    if not host.strip("[]") or not _is_port(port):
        raise InputError(f"{address!r} is no network address: write host:port, for example 192.168.1.1:7000.")
    return _checked_host(host), int(port)


def split_udp_address(address: str) -> tuple[str, int, int | None]:
    """Host, its port and the port here (None: the device's usual one) of ``host:port`` or ``host:port:listen``.

    Raises InputError.
    """
    head, _, last = address.rpartition(":")
    has_two = re.search(r"(?:\]|^[^:]+):\d+$", head) is not None
    host, _, port = (head if has_two else address).rpartition(":")
    if not host.strip("[]") or not _is_port(port) or (has_two and not _is_port(last)):
        raise InputError(
            f"{address!r} is no network address: write host:port or host:port:listen, "
            "for example 192.168.1.50:9000:8001, with ports from 1 to 65535."
        )
    return _checked_host(host), int(port), int(last) if has_two else None


def _is_port(text: str) -> bool:
    # The length first: int() refuses thousands of digits with an error of its own.
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536


def _checked_host(host: str) -> str:
    """``host`` without brackets, if the resolver can be asked for it; it fails by UnicodeError for what is no name."""
    host = host.strip("[]")
    try:
        host.encode("idna")
    except UnicodeError:
        shown = host if len(host) <= _LONGEST_SHOWN else f"{host[:_LONGEST_SHOWN]}…"
        raise InputError(
            f"{shown!r} is no computer's name or address: write host:port, for example 192.168.1.1:7000."
        ) from None
    return host


def _options(text: str, options: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for option in options:
        key, equals, value = (part.strip() for part in option.partition("="))
        if key not in ("model", *_UNITS, "baud") or not equals or not value:
            raise InputError(
                f"The option {option!r} in {text!r} is not understood: "
                "use model=NAME, rate=HZ, acc=G, gyr=DEG_S or baud=NUMBER."
            )
        if key in values:
            raise InputError(f"The option {key!r} stands twice in {text!r}.")
        values[key] = value
    return values


def _number(key: str, text: str | None) -> float | None:
    if text is None:
        return None
    what, unit, example = _UNITS[key]
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"The {what} {text!r} is no number: write it in {unit}, for example {key}={example}."
        ) from None


def _baud(kind: TransportKind, text: str) -> int:
    if kind != "serial":
        raise InputError(f"baud={text} is for serial ports, not for {kind}: leave it out.")
    if not text.isascii() or not text.isdigit() or len(text) > 7 or not 300 <= int(text) <= 4_000_000:
        raise InputError(f"The baud rate {text!r} is none that ports have: write a number, for example baud=9600.")
    return int(text)
