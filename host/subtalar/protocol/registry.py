"""The devices that can be used, by name. A new codec is one file beside this one and one line in MODELS.

Or it is a distribution of its own, with an entry point in the group ``subtalar.devices`` (``installed_models``).
"""

from functools import cache

from subtalar.errors import InputError

from .base import DeviceProtocol
from .device_model import DeviceModel
from .installed_models import PlugIns, load_plug_ins, names_of
from .metamotion import MetaMotion
from .movella_dot import MovellaDot
from .shimmer3 import Shimmer3
from .talus import Talus
from .thingy52 import Thingy52
from .witmotion import WitMotionBle
from .witmotion_serial import WitMotionSerial
from .ximu3 import XImu3

MODELS: tuple[DeviceModel, ...] = (
    DeviceModel("witmotion", "WitMotion WT901BLE", WitMotionBle, ("ble", "serial", "tcp"), ("wt901ble", "wit")),
    DeviceModel("witmotion-serial", "WitMotion WT901", WitMotionSerial, ("serial", "tcp", "ble"), ("wt901",)),
    DeviceModel("movella-dot", "Movella DOT", MovellaDot, ("ble",), ("dot", "xsens-dot", "movella_dot")),
    DeviceModel("thingy52", "Nordic Thingy:52", Thingy52, ("ble",), ("thingy", "thingy:52")),
    DeviceModel("metamotion", "MbientLab MetaMotion", MetaMotion, ("ble",), ("metawear", "mbientlab")),
    DeviceModel("shimmer3", "Shimmer3", Shimmer3, ("serial", "tcp"), ("shimmer",)),
    DeviceModel("ximu3", "x-io x-IMU3", XImu3, ("serial", "tcp", "udp"), ("x-imu3",)),
    DeviceModel("talus", "board that speaks Talus", Talus, ("ble", "serial", "tcp"), ("own",)),
)


@cache
def plug_ins() -> PlugIns:
    """Models of other distributions; looked for when they are first asked for."""
    return load_plug_ins(MODELS)


def device_models() -> tuple[DeviceModel, ...]:
    """All models: our own, then those of plug-ins."""
    return (*MODELS, *plug_ins().models)


def find_model(name: str) -> DeviceModel:
    """The model of that name or alias, in any case. Raises InputError with the known names."""
    # Our own first: whoever uses those pays for no plug-in.
    model = _named(name.lower(), MODELS) or _named(name.lower(), plug_ins().models)
    if model is None:
        known = f"There is no sensor model {name!r}: the known ones are {', '.join(m.name for m in device_models())}."
        raise InputError(" ".join((known, *plug_ins().troubles)))
    return model


def _named(name: str, models: tuple[DeviceModel, ...]) -> DeviceModel | None:
    return next((model for model in models if name in names_of(model)), None)


def model_for_name(advertised_name: str) -> DeviceModel | None:
    """The model whose devices advertise under such a name, or None. Of several beginnings the longest decides."""
    fitting = [
        (len(prefix), model)
        for model in device_models()
        if model.protocol.gatt is not None
        for prefix in model.protocol.gatt.name_prefixes
        if advertised_name.startswith(prefix)
    ]
    return max(fitting, key=lambda fit: fit[0], default=(0, None))[1]


def create_protocol(model: str, rate_hz: float | None = None) -> DeviceProtocol:
    """A fresh codec for one device. Raises InputError on an unknown model or a rate it does not offer."""
    return find_model(model).protocol(rate_hz)
