"""The estimator: blocks of samples in, ankle angles, events and strides out, live or from a file alike."""

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from subtalar.anatomy import ANKLE_SEGMENTS
from subtalar.errors import InputError
from subtalar.estimation.inclination.sensor_stream import SensorStream, StreamCounts
from subtalar.estimation.leg.foot_only import FootLeg
from subtalar.estimation.leg.one_sensor import OneSensorLeg
from subtalar.estimation.leg.shank_only import ShankLeg
from subtalar.estimation.leg.two_sensors import TwoSensorLeg
from subtalar.estimation.numerics.compiled import warm_up
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.snapshot import pack, unpack
from subtalar.estimation.stance.zero_pose import ZeroPose
from subtalar.types import (
    SIDES,
    AngleBlock,
    BodySite,
    Calibration,
    Estimates,
    GaitEvent,
    Notice,
    SampleBlock,
    SensorInfo,
    Side,
    Stride,
)

_PUSH_ROWS = 8192


class GaitEstimator:
    """Foot and shank sensors of one or two legs; it is given nothing but which sensor sits where.

    Sensors on other segments may be there: nothing is computed from them.

    A leg with one sensor gets the angles of its segment to the floor, events and strides, and no ankle angles.

    ``push`` takes the samples of one sensor in the order they were measured, in blocks of any size; sensors may be
    interleaved in any way. The output depends on the samples alone, not on how they were cut. ``advance`` says that
    everything that arrived before an instant has been pushed: rows then stop waiting for a silent sensor.

    ``zeros``: of some legs the pose that counts as zero from the start (``again``).

    Raises InputError where a sensor is too slow to see steps.
    """

    def __init__(
        self,
        sensors: Mapping[BodySite, SensorInfo],
        parameters: Parameters | None = None,
        zeros: Mapping[Side, ZeroPose] | None = None,
    ) -> None:
        warm_up()
        self._sensors, self._zeros = dict(sensors), dict(zeros or {})
        self._p = parameters or Parameters()
        sensors = {site: info for site, info in sensors.items() if site.segment in ANKLE_SEGMENTS}
        for info in sensors.values():
            if info.rate_hz < self._p.lowest_rate_hz:
                name = info.site.value.replace("_", " ")
                raise InputError(
                    f"The {name} sensor sends {info.rate_hz:g} samples a second: ankle angles in walking need at least "
                    f"{self._p.lowest_rate_hz:g}, better 100."
                )
        self._streams = {site: SensorStream(info, self._p) for site, info in sensors.items()}
        self._legs: list[TwoSensorLeg] = []
        self._lone: list[OneSensorLeg] = []
        self._leg_of: dict[BodySite, TwoSensorLeg | OneSensorLeg] = {}
        self._first_notices: list[Notice] = []
        for side in SIDES:
            foot = self._streams.get(BodySite.of(side, "foot"))
            shank = self._streams.get(BodySite.of(side, "shank"))
            if foot is not None and shank is not None:
                self._legs.append(TwoSensorLeg(side, foot, shank, self._p, self._zeros.get(side)))
            elif foot is not None:
                self._lone.append(FootLeg(side, foot, self._p))
                text = f"The {side} leg has no shank sensor: foot angles to the floor and steps, but no ankle angles."
                self._first_notices.append(Notice(0.0, "info", "one_sensor", text, side))
            elif shank is not None:
                self._lone.append(ShankLeg(side, shank, self._p))
                text = f"The {side} leg has no foot sensor: shank inclination and steps, but no ankle angles."
                self._first_notices.append(Notice(0.0, "info", "one_sensor", text, side))

        for leg in self._every_leg():
            for segment in ANKLE_SEGMENTS:
                self._leg_of[BodySite.of(leg.side, segment)] = leg

    @property
    def counts(self) -> dict[BodySite, StreamCounts]:
        """What became of each sensor's samples."""
        return {site: stream.counts for site, stream in self._streams.items()}

    def push(self, block: SampleBlock) -> Estimates:
        """Take one block; KeyError where its site was not announced."""
        if block.site.segment not in ANKLE_SEGMENTS:
            return Estimates()
        stream, leg = self._streams[block.site], self._leg_of[block.site]
        for start in range(0, len(block), _PUSH_ROWS):
            stream.push(block if len(block) <= _PUSH_ROWS else _part(block, start, start + _PUSH_ROWS))
            leg.advance(-np.inf)
        return self._taken(leg)

    def advance(self, host_time_s: float) -> Estimates:
        """Nothing that arrived before ``host_time_s`` (session clock) is still to come."""
        for stream in self._streams.values():
            stream.advance(host_time_s)
        for leg in self._every_leg():
            leg.advance(host_time_s)
        return self._taken()

    def finish(self) -> Estimates:
        """The end: whatever still waits is decided with what is there, and what was missing is said."""
        for stream in self._streams.values():
            stream.finish()
        for leg in self._every_leg():
            leg.advance(np.inf, final=True)
            leg.close()
        return self._taken()

    def again(self) -> "GaitEstimator | None":
        """After ``finish``: the same estimator before the first sample, with the best zero of the whole recording; None
        where no leg found a better one than it began with.
        """
        found = {leg.side: leg.tracker.zero for leg in self._legs if leg.tracker.zero_moved}
        zeros = self._zeros | {side: zero for side, zero in found.items() if zero is not None}
        return type(self)(self._sensors, self._p, zeros) if found else None

    def save(self) -> bytes:
        """The whole state, also in mid-stride, for ``restore`` in another process of the same version.

        Some megabytes: the last 100 s of both legs are part of it.
        """
        return pack(self)

    @staticmethod
    def restore(data: bytes) -> "GaitEstimator":
        """An estimator that goes on where the saved one was: the rest of its output is the same to the last bit.

        Raises InputError where the bytes are foreign, damaged or of another version. Nothing in them is executed.
        """
        warm_up()
        estimator = unpack(data)
        if not isinstance(estimator, GaitEstimator):
            raise InputError(
                "These bytes are no saved state of the estimator: give what GaitEstimator.save() returned."
            )
        return estimator

    def _every_leg(self) -> Iterator[TwoSensorLeg | OneSensorLeg]:
        return itertools.chain(self._legs, self._lone)

    def _taken(self, *legs: TwoSensorLeg | OneSensorLeg) -> Estimates:
        """What these legs found since the last call; all of them unless given."""
        angles: list[AngleBlock] = []
        events: list[GaitEvent] = []
        strides: list[Stride] = []
        calibrations: list[Calibration] = []
        notices, self._first_notices = self._first_notices, []
        for leg in legs or self._every_leg():
            found = leg.take()
            angles += found.angles
            events += found.events
            strides += found.strides
            notices += found.notices
            calibrations += found.calibrations
        return Estimates(tuple(angles), tuple(events), tuple(strides), tuple(notices), tuple(calibrations))


def _part(block: SampleBlock, start: int, stop: int) -> SampleBlock:
    device, host = block.device_time_s, block.host_time_s
    return SampleBlock(
        block.site,
        None if device is None else device[start:stop],
        None if host is None else host[start:stop],
        block.acc_m_s2[start:stop],
        block.gyr_rad_s[start:stop],
    )
