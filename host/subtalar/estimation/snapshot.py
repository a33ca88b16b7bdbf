"""An estimator's whole state as bytes, and back, so that a session can go on in another process to the last bit.

The body is Python's pickle format, written and read with a vocabulary of our own: instances of the classes of this
package and of the frozen values beside it, arrays as dtype, shape and bytes, VQF as its parameters and state. A dtype
with named fields is the name of the constant that holds it here, so that no other layout ever comes in. The reader
admits nothing else, so bytes from elsewhere cannot make it run anything. A digest tells damage from the start.
"""

import hashlib
import io
import pickle
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
from vqf import VQF

from subtalar import __version__
from subtalar.errors import InputError
from subtalar.types import FloatArray

_MAGIC = b"subtalar estimator state 1\n"
_DIGEST_BYTES = 32
_DTYPES = ("<f8", "<i8", "|u1", "|b1")
_HOMES = ("subtalar.estimation.", "subtalar.types", "subtalar.anatomy", "subtalar.strides")
_HOME = "subtalar.estimation."


def pack(estimator: object) -> bytes:
    """The state as bytes: a title line, this version, a SHA-256 digest, the body."""
    body = io.BytesIO()
    _Writer(body, protocol=5).dump(estimator)
    version = f"{__version__}\n".encode()
    return _MAGIC + version + hashlib.sha256(version + body.getvalue()).digest() + body.getvalue()


def unpack(data: bytes) -> object:
    """What ``pack`` was given. Raises InputError where the bytes are foreign, damaged or of another version."""
    if not data.startswith(_MAGIC):
        raise InputError("These bytes are no saved state of the estimator: give what GaitEstimator.save() returned.")
    version, found, rest = data[len(_MAGIC) :].partition(b"\n")
    digest, body = rest[:_DIGEST_BYTES], rest[_DIGEST_BYTES:]
    if not found or hashlib.sha256(version + b"\n" + body).digest() != digest:
        raise InputError("The saved state of the estimator is damaged: analyse the recording from its beginning.")
    if version.decode() != __version__:
        raise InputError(
            f"The state was saved by version {version.decode()} and this is {__version__}: "
            "analyse the recording from its beginning."
        )
    try:
        return _Reader(io.BytesIO(body)).load()
    except Exception as error:  # whatever a forged body provokes
        raise InputError("The saved state of the estimator holds what no estimator wrote: do not use it.") from error


class _Writer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, np.ndarray):
            kind = obj.dtype.newbyteorder("<")
            # The order in memory is part of the state: sums over it must come out the same to the last bit.
            turned = obj.flags.f_contiguous and not obj.flags.c_contiguous
            return _array, (_name_of(kind), obj.shape, turned, obj.astype(kind).tobytes("F" if turned else "C"))
        if isinstance(obj, np.generic):
            return _scalar, (obj.dtype.newbyteorder("<").str, obj.tobytes())
        if isinstance(obj, VQF):
            return _vqf, (obj.coeffs["gyrTs"], obj.params, obj.state)
        if isinstance(obj, Enum):
            return type(obj), (obj.value,)
        return NotImplemented


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Classes at home in the two places, the makers below, complex numbers."""
        maker = _MAKERS.get(name) if module == __name__ else None
        if maker is not None:
            return maker
        if (module, name) == ("builtins", "complex"):
            return complex
        found = getattr(sys.modules.get(module), name, None) if module.startswith(_HOMES) else None
        if isinstance(found, type) and found.__module__ == module:
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a state")


def _name_of(dtype: np.dtype[Any]) -> str | tuple[str, str]:
    """Of a dtype: NumPy's own, or module and name of the constant of this package that holds it."""
    if dtype.names is None:
        return dtype.str
    for module in sorted(name for name in sys.modules if name.startswith(_HOME)):
        for name, value in vars(sys.modules[module]).items():
            if isinstance(value, np.dtype) and value == dtype:
                return module, name
    raise pickle.PicklingError(f"no constant of the estimator holds the dtype {dtype}")


def _dtype(name: str | tuple[str, str]) -> Any:
    if isinstance(name, str):
        found = name if name in _DTYPES else None
    else:
        module, constant = name
        found = getattr(sys.modules.get(module), constant, None) if module.startswith(_HOME) else None
    if not isinstance(found, str | np.dtype):
        raise pickle.UnpicklingError(f"arrays of {name} are not part of a state")
    return found


def _array(name: str | tuple[str, str], shape: tuple[int, ...], turned: bool, data: bytes) -> Any:
    flat = np.frombuffer(data, dtype=_dtype(name))
    return flat.reshape(shape, order="F" if turned else "C").copy(order="K")


def _scalar(kind: str, data: bytes) -> Any:
    return _array(kind, (1,), False, data)[0]


def _vqf(period_s: float, parameters: dict[str, Any], state: dict[str, FloatArray]) -> VQF:
    vqf = VQF(period_s, **parameters)
    vqf.state = state
    return vqf


_MAKERS: dict[str, Callable[..., Any]] = {"_array": _array, "_scalar": _scalar, "_vqf": _vqf}
