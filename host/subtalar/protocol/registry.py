"""The devices that can be used, by name. A new codec is one file beside this one and one line in MODELS."""

from dataclasses import dataclass

from subtalar.errors import InputError

from .base import DeviceProtocol
from .metamotion import MetaMotion
from .movella_dot import MovellaDot
from .shimmer3 import Shimmer3
from .talus import Talus
from .thingy52 import Thingy52
from .witmotion import WitMotionBle
from .witmotion_serial import WitMotionSerial
from .ximu3 import XImu3


@dataclass(frozen=True)
class DeviceModel:
    """A device family: ``name`` is the key in device specs and recordings, ``title`` is for people."""

    name: str
    title: str
    protocol: type[DeviceProtocol]
    transports: tuple[str, ...]
    aliases: tuple[str, ...] = ()


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


def find_model(name: str) -> DeviceModel:
    """The model of that name or alias, in any case. Raises InputError with the known names."""
    wanted = name.lower()
    for model in MODELS:
        if wanted == model.name or wanted in model.aliases:
            return model
    known = ", ".join(model.name for model in MODELS)
    raise InputError(f"There is no sensor model {name!r}: the known ones are {known}.")


def model_for_name(advertised_name: str) -> DeviceModel | None:
    """The model whose devices advertise under such a name, or None. Of several beginnings the longest decides."""
    fitting = [
        (len(prefix), model)
        for model in MODELS
        if model.protocol.gatt is not None
        for prefix in model.protocol.gatt.name_prefixes
        if advertised_name.startswith(prefix)
    ]
    return max(fitting, key=lambda fit: fit[0], default=(0, None))[1]


def create_protocol(model: str, rate_hz: float | None = None) -> DeviceProtocol:
    """A fresh codec for one device. Raises InputError on an unknown model or a rate it does not offer."""
    return find_model(model).protocol(rate_hz)
