"""Device specs: what they mean, and one clear sentence for every mistake."""

import pytest

from subtalar.errors import InputError
from subtalar.transport import DeviceSpec, parse_spec
from subtalar.types import BodySite


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (
            "right_foot=ble:AA:BB:CC:DD:EE:FF",
            DeviceSpec("ble", "AA:BB:CC:DD:EE:FF", "witmotion", None, BodySite.RIGHT_FOOT),
        ),
        (
            " left_shank=ble:01234567-89ab-CDEF-0123-456789ABCDEF,rate=200 ",
            DeviceSpec("ble", "01234567-89ab-CDEF-0123-456789ABCDEF", "witmotion", 200, BodySite.LEFT_SHANK),
        ),
        (
            "left_foot=serial:/dev/ttyACM0,model=x-imu3,rate=100",
            DeviceSpec("serial", "/dev/ttyACM0", "ximu3", 100, BodySite.LEFT_FOOT),
        ),
        (
            "left_foot=serial:COM3,model=wt901,rate=20,baud=9600",
            DeviceSpec("serial", "COM3", "witmotion-serial", 20, BodySite.LEFT_FOOT, 9600),
        ),
        ("left_foot=serial:COM3", DeviceSpec("serial", "COM3", "ximu3", None, BodySite.LEFT_FOOT)),
        (
            "left_foot=serial:socket://127.0.0.1:4000",
            DeviceSpec("serial", "socket://127.0.0.1:4000", "ximu3", None, BodySite.LEFT_FOOT),
        ),
        (
            "right_shank=tcp:192.168.1.1:7000",
            DeviceSpec("tcp", "192.168.1.1:7000", "ximu3", None, BodySite.RIGHT_SHANK),
        ),
        (
            "right_shank=udp:192.168.1.50:9000",
            DeviceSpec("udp", "192.168.1.50:9000", "ximu3", None, BodySite.RIGHT_SHANK),
        ),
        (
            "right_shank=udp:[::1]:9000:8001,rate=100",
            DeviceSpec("udp", "[::1]:9000:8001", "ximu3", 100, BodySite.RIGHT_SHANK),
        ),
        ("left_foot=tcp:füße.local:7000", DeviceSpec("tcp", "füße.local:7000", "ximu3", None, BodySite.LEFT_FOOT)),
        ("left_foot=tcp:[fe80::1%eth0]:7", DeviceSpec("tcp", "[fe80::1%eth0]:7", "ximu3", None, BodySite.LEFT_FOOT)),
        ("right_shank=tcp:[::1]:7000", DeviceSpec("tcp", "[::1]:7000", "ximu3", None, BodySite.RIGHT_SHANK)),
    ],
)
def test_good_specs(text, spec):
    assert parse_spec(text) == spec
    assert parse_spec(str(spec)) == spec


def test_the_site_may_be_left_out_where_none_is_needed():
    assert parse_spec("serial:/dev/pts/3", need_site=False).site is None
    assert parse_spec("serial:/dev/by=id", need_site=False).address == "/dev/by=id"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "where the sensor sits"),
        ("ble:AA:BB:CC:DD:EE:FF", "where the sensor sits"),
        ("foot=ble:AA:BB:CC:DD:EE:FF", "no place 'foot'"),
        ("right_foot=AA:BB:CC:DD:EE:FF", "how to reach"),
        ("right_foot=usb:1", "how to reach"),
        ("right_foot=", "how to reach"),
        ("right_foot=ble:", "missing"),
        ("right_foot=serial:/dev/tty\udcff", r"'/dev/tty\\udcff' holds a character that cannot be shown"),
        ("right_foot=serial:/dev/\x1b[31mtty", "holds a character that cannot be shown"),
        ("right_foot=tcp:a\0b:7000", "holds a character that cannot be shown"),
        ("right_foot=ble:AA:BB:CC", "no Bluetooth address"),
        ("right_foot=tcp:7000", "host:port"),
        ("right_foot=tcp:host:99999", "host:port"),
        ("right_foot=tcp:host:x", "host:port"),
        ("right_foot=udp:192.168.1.50", "host:port"),
        ("right_foot=udp:192.168.1.50:9000:99999", "host:port"),
        ("right_foot=udp:192.168.1.50:9000:", "host:port"),
        ("right_foot=udp:192.168.1.50:9000:0", r"'192\.168\.1\.50:9000:0' is no network .* host:port:listen"),
        ("right_foot=udp:192.168.1.50:9000,model=witmotion", "not over udp"),
        ("right_foot=tcp:[]:7000", "host:port"),
        (f"right_foot=tcp:host:{'9' * 5000}", "host:port"),
        ("right_foot=tcp:192.168..1:7000", r"'192\.168\.\.1' is no computer's name or address"),
        ("right_foot=udp:a..b:7000", r"'a\.\.b' is no computer's name or address"),
        ("right_foot=udp:a..b:7000:8000", r"'a\.\.b' is no computer's name or address"),
        (f"right_foot=tcp:{'a' * 300}:7000", "'a{63}…' is no computer's name or address"),
        ("right_foot=serial:COM3,model=toaster", "no sensor model 'toaster'"),
        ("right_foot=serial:COM3,rate=fast", "no number"),
        ("right_foot=serial:COM3,baud=fast", "'fast' is none that ports have"),
        ("right_foot=serial:COM3,baud=12", "'12' is none that ports have"),
        (f"right_foot=serial:COM3,baud={'9' * 5000}", "none that ports have"),
        ("right_foot=tcp:host:7000,baud=9600", "for serial ports, not for tcp"),
        ("right_foot=serial:COM3,rate=nan", "cannot sample"),
        ("right_foot=serial:COM3,rate=-5", "cannot sample"),
        ("right_foot=serial:COM3,rate=333", "choose one of"),
        ("right_foot=serial:COM3,speed=3", "not understood"),
        ("right_foot=serial:COM3,rate", "not understood"),
        ("right_foot=serial:COM3,rate=100,rate=50", "twice"),
        ("right_foot=ble:AA:BB:CC:DD:EE:FF,model=ximu3", "not over ble"),
    ],
)
def test_mistakes(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_spec(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
