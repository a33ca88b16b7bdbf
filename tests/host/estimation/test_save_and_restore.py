"""A saved estimator goes on as if nothing had happened, and bytes from elsewhere are refused."""

import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from subtalar.errors import InputError
from subtalar.estimation import GaitEstimator
from subtalar.estimation.rows.sensor_rows import SENSOR_ROW
from subtalar.estimation.snapshot import pack, unpack


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
@given(shares=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4), block_s=st.sampled_from([0.05, 0.3, 1.0]))
def test_saved_at_any_row_the_rest_is_the_same(
    lab: SimpleNamespace, short_walk: Any, short_result: Any, shares: list[float], block_s: float
) -> None:
    """Any row: while a clock is still held back, in standing, in mid-stride."""
    blocks = lab.in_order(short_walk, block_s)
    saves = {int(share * len(blocks)) for share in shares}
    estimator, result = GaitEstimator(short_walk.sensors), lab.Result()
    for k, block in enumerate(blocks):
        if k in saves:
            estimator = GaitEstimator.restore(estimator.save())
        result.take(estimator.push(block))
    result.take(GaitEstimator.restore(estimator.save()).finish())
    lab.assert_same(result, short_result)
    assert result.codes == short_result.codes


def test_saving_changes_nothing_and_counts_go_along(lab: SimpleNamespace, short_walk: Any, short_result: Any) -> None:
    estimator, result = GaitEstimator(short_walk.sensors), lab.Result()
    for block in lab.in_order(short_walk, 3.0):
        result.take(estimator.push(block))
        assert GaitEstimator.restore(estimator.save()).counts == estimator.counts
    result.take(estimator.finish())
    lab.assert_same(result, short_result)


def test_losses_and_unknown_things_are_part_of_the_state(lab: SimpleNamespace, short_walk: Any) -> None:
    """Saved in a gap, after it, and after a clock restarted."""
    foot, shank = short_walk.samples.values()
    foot = lab.lose(foot, 20.0, 20.4)
    device = np.where(foot.host_time_s < 24.0, foot.device_time_s, foot.device_time_s - foot.device_time_s[0])
    foot = lab.part(foot, slice(None))
    walk = short_walk.with_samples(
        type(foot)(foot.site, device, foot.host_time_s, foot.acc_m_s2, foot.gyr_rad_s), shank
    )
    reference = lab.estimate(walk)
    estimator, result = GaitEstimator(walk.sensors), lab.Result()
    for block in lab.in_order(walk, 0.37):
        result.take(estimator.push(block))
        estimator = GaitEstimator.restore(estimator.save())
    result.take(estimator.finish())
    lab.assert_same(result, reference)


@pytest.fixture(scope="module")
def saved(short_walk: Any) -> bytes:
    estimator = GaitEstimator(short_walk.sensors)
    for block in short_walk.samples.values():
        estimator.push(block)
    return estimator.save()


@pytest.mark.parametrize("data", [b"", b"nonsense", pickle.dumps({"a": 1}), b"subtalar estimator state 1\n"])
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"no saved state|damaged"):
        GaitEstimator.restore(data)


@pytest.mark.parametrize("where", [0, 5, 30, 36, 50, 70, 100, -1000, -1])
def test_a_flipped_bit_is_noticed(saved: bytes, where: int) -> None:
    damaged = bytearray(saved)
    damaged[where] ^= 4
    with pytest.raises(InputError):
        GaitEstimator.restore(bytes(damaged))


def test_a_cut_off_state_is_noticed(saved: bytes) -> None:
    with pytest.raises(InputError, match="damaged"):
        GaitEstimator.restore(saved[:-1])


def test_another_version_is_told(saved: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subtalar.estimation.snapshot.__version__", "99.0")
    with pytest.raises(InputError, match=r"was saved by version .* this is 99\.0"):
        GaitEstimator.restore(saved)


def test_something_else_that_is_packed_is_no_estimator() -> None:
    with pytest.raises(InputError, match="no saved state"):
        GaitEstimator.restore(pack([1.0, 2.0]))


class _Call:
    """What a forger would write: a call of any function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


def test_nothing_in_the_bytes_is_executed(tmp_path: Any) -> None:
    import os
    import shutil

    victim = tmp_path / "victim"
    victim.mkdir()
    for call in (_Call(shutil.rmtree, str(victim)), _Call(os.rmdir, str(victim)), _Call(eval, "1")):
        with pytest.raises(InputError, match="no estimator wrote"):
            GaitEstimator.restore(pack(call))
    assert victim.is_dir()


def test_functions_of_our_own_modules_are_not_admitted() -> None:
    from subtalar.estimation.numerics.compiled import warm_up

    with pytest.raises(InputError, match="no estimator wrote"):
        GaitEstimator.restore(pack(_Call(warm_up)))


class _Array:
    """An array as the writer puts it down, with a dtype of the forger's choice."""

    def __init__(self, *name: str) -> None:
        self._name = name[0] if len(name) == 1 else name

    def __reduce__(self) -> Any:
        from subtalar.estimation import snapshot

        return snapshot._array, (self._name, (1,), False, bytes(224))


def test_rows_come_back_with_the_very_dtype_that_compiled_functions_know() -> None:
    rows = np.zeros(3, SENSOR_ROW)
    rows["gyr_rad_s"][1] = 1.0, 2.0, np.nan
    again = unpack(pack([rows, rows["time_s"], rows[:0]]))
    assert isinstance(again, list)
    assert [a.dtype for a in again] == [SENSOR_ROW, np.dtype("f8"), SENSOR_ROW]
    assert again[0].dtype is SENSOR_ROW
    assert again[0].tobytes() == rows.tobytes()


def test_a_layout_that_nobody_declared_is_not_written() -> None:
    with pytest.raises(pickle.PicklingError):
        pack(np.zeros(2, [("something", "f8"), ("else", "f4")]))


@pytest.mark.parametrize(
    "name",
    [
        ("subtalar.estimation.rows.sensor_rows", "np"),
        ("subtalar.estimation.rows.sensor_rows", "first_at"),
        ("subtalar.estimation.rows.sensor_rows", "NOT_THERE"),
        ("subtalar.estimation.nowhere", "SENSOR_ROW"),
        ("numpy", "float64"),
        ("builtins", "object"),
        ("object",),
        ("<f4",),
        ("|O",),
    ],
)
def test_arrays_of_other_dtypes_are_not_admitted(name: tuple[str, ...]) -> None:
    unpack(pack(_Array("subtalar.estimation.rows.sensor_rows", "SENSOR_ROW")))
    with pytest.raises(InputError, match="no estimator wrote"):
        unpack(pack(_Array(*name)))
