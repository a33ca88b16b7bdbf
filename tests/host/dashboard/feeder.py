"""Fills a ring with made-up walking, for tests, screenshots and measurements of the screen.

Run as a script it is a measuring process of its own: ``python feeder.py NAME [--seconds S] [--rate HZ]``.
The curves only look like gait; nothing is learned from them.
"""

import argparse
import dataclasses
import time

import numpy as np
from scipy.interpolate import CubicSpline

from subtalar.acquisition.ring import RingWriter, SessionFacts
from subtalar.anatomy import columns_of
from subtalar.estimation.angles.subtalar_axis import subtalar_angles
from subtalar.estimation.parameters import SubtalarAxis
from subtalar.types import (
    SIDES,
    AngleBlock,
    BodySite,
    Estimates,
    GaitEvent,
    Ledger,
    Notice,
    Quality,
    Segment,
    SensorInfo,
    SensorStatus,
    Side,
    Stride,
)

STRIDE_S = 1.08
PATH = "/home/clinic/recordings/2026-03-14/anna-bergstroem-lindqvist_walk-overground_insole-A.mcap"


def _curve(*knots: tuple[float, float]) -> CubicSpline:
    phase, value = zip(*knots, (1.0, knots[0][1]), strict=True)
    return CubicSpline(phase, value, bc_type="periodic")


CURVES = (
    _curve((0, 1), (0.08, -6), (0.28, 5), (0.47, 12), (0.62, -17), (0.78, 1), (0.9, 3)),
    _curve((0, 3), (0.1, -2), (0.3, -7), (0.48, -4), (0.6, 6), (0.75, 5), (0.9, 4)),
    _curve((0, -2), (0.12, 4), (0.3, 8), (0.5, 2), (0.62, -5), (0.8, -2)),
)
SHANK_DEG = _curve((0, 17), (0.1, 4), (0.4, -14), (0.6, -46), (0.72, -56), (0.88, -8), (0.95, 14))


class Feeder:
    """Publishes session time in order; ``feed_until`` may run ahead of the wall clock or with it."""

    def __init__(self, writer: RingWriter, rate_hz: float = 100.0, seed: int = 1) -> None:
        self.writer, self.rate_hz = writer, rate_hz
        self.rng = np.random.default_rng(seed)
        self.time_s = 0.0
        self.walking = True
        self.silent: set[Side] = set()
        self.lost = (0, 3, 41, 1)
        self.lone: dict[Side, Segment] = {}
        self.quality = Quality.OK
        self.truth = False
        self.facts = SessionFacts("running", "simulated sensors", 1.7e9, 0.0, PATH, 0)

    def phase(self, side: Side, t):
        return (t / STRIDE_S + (0.5 if side == "left" else 0.0)) % 1.0

    def angles(self, side: Side, t) -> np.ndarray:
        exaggerate = 1.25 if side == "right" else 0.9
        gait = np.stack([curve(self.phase(side, t)) * exaggerate for curve in CURVES], axis=-1)
        return gait if self.walking else 0.05 * gait

    def block(self, side: Side, t) -> AngleBlock:
        truth = self.angles(side, t)
        noisy = truth + 0.7 * np.sin(0.5 * t)[:, None] + self.rng.normal(0, 0.12, truth.shape)
        sd = np.tile([0.6, 0.9, 1.3], (len(t), 1)) * (1 + 0.4 * np.sin(0.3 * t))[:, None]
        half = np.radians(SHANK_DEG(self.phase(side, t)) * (1.0 if self.walking else 0.02)) / 2
        shank = np.stack([np.cos(half), 0 * half, 0 * half, np.sin(half)], axis=-1)
        if self.quality is Quality.NOT_CALIBRATED:
            noisy, sd, shank = np.full_like(noisy, np.nan), np.full_like(sd, np.nan), np.full_like(shank, np.nan)
        subtalar, subtalar_sd, _ = subtalar_angles(noisy, sd, SubtalarAxis(), side)
        lean = -np.degrees(2 * np.arctan2(shank[:, 3], shank[:, 0]))
        frontal = 0.3 * noisy[:, 1]
        further = np.stack([subtalar, noisy[:, 0] - lean, noisy[:, 1] + frontal, lean, frontal], axis=1)
        further_sd = np.where(np.isnan(further), np.nan, 0.9)
        further_sd[:, 0] = subtalar_sd
        angles, angles_sd = np.hstack((noisy, further)), np.hstack((sd, further_sd))
        quality = np.full(len(t), self.quality, np.uint8)
        if side in self.lone:
            keep = list(columns_of(self.lone[side]))
            for values in (angles, angles_sd):
                kept = values[:, keep].copy()
                values[:] = np.nan
                values[:, keep] = kept
            if self.lone[side] == "foot":
                shank = np.full_like(shank, np.nan)
        return AngleBlock(side, t, angles, angles_sd, quality, shank)

    def feed_until(self, end_s: float) -> None:
        first, last = round(self.time_s * self.rate_hz), round(end_s * self.rate_hz)
        if last <= first:
            return
        t = np.arange(first, last) / self.rate_hz
        sides = [side for side in SIDES if side not in self.silent]
        strides, events = [], []
        for side in sides if self.walking and self.quality is Quality.OK else ():
            n = np.floor(t / STRIDE_S + (0.5 if side == "left" else 0.0))
            for k in np.flatnonzero(np.diff(n)) + 1:
                events.append(GaitEvent(side, "initial_contact", float(t[k]), float(t[k]) + 0.05))
                if t[k] > STRIDE_S:
                    strides.append(self.stride(side, float(t[k]) - STRIDE_S))
        self.writer.publish(Estimates(tuple(self.block(s, t) for s in sides), tuple(events), tuple(strides)))
        if self.truth:
            for side in sides:
                self.writer.publish_truth(side, t, self.angles(side, t))
        self.time_s = end_s

    def stride(self, side: Side, contact_s: float) -> Stride:
        noise = lambda sd: float(self.rng.normal(0, sd))  # noqa: E731
        right = side == "right"
        return Stride(
            side,
            contact_s,
            contact_s + 0.66,
            STRIDE_S + noise(0.015),
            (0.61 if right else 0.63) + noise(0.008),
            1.34 + noise(0.02),
            (8.9 if right else 6.1) + noise(0.5),
            (12.4 if right else 9.2) + noise(0.6),
            41 + noise(2),
            (142 if right else 118) + noise(9),
            (14.8 if right else 10.4) + noise(0.7),
            0.86 + noise(0.05),
            (15.1 if right else 10.9) + noise(0.5),
            2.9 + noise(0.2),
            21 + noise(1.5),
            7 + noise(1),
            int(self.rng.integers(0, 3)),
            "ok" if self.rng.random() > 0.12 else "turning",
            2.0,
            -1.0,
            32.0,
            (11.2 if right else 8.3) + noise(0.5),
            (16.1 if right else 12.4) + noise(0.6),
            2.1,
        )

    def status(self, **links: str) -> None:
        """All four sensors; ``left_foot="silent"`` and the like change a link."""
        for k, site in enumerate(BodySite):
            link = links.get(site, "streaming")
            received = int(self.time_s * self.rate_hz)
            self.writer.publish_status(
                [
                    SensorStatus(
                        SensorInfo(site, self.rate_hz, 157.0, 35.0, "Sim", f"C0:FF:EE:00:00:0{k}"),
                        link,
                        self.rate_hz - 0.2 * k if link == "streaming" else 0.0 if link == "silent" else None,
                        (86.0, 78.0, 17.0, 91.0)[k],
                        Ledger(received, self.lost[k] if received else 0, k == 1),
                    )
                ]
            )

    def session(self, **changes) -> None:
        self.facts = dataclasses.replace(
            self.facts, elapsed_s=self.time_s, recorded_bytes=int(self.time_s * 40e3), **changes
        )
        self.writer.publish_session(self.facts)

    def say(self, level: str, code: str, text: str, **where) -> None:
        self.writer.publish(Estimates(notices=(Notice(self.time_s, level, code, text, **where),)))

    def run(self, seconds: float, batch_s: float = 0.01) -> None:
        """With the wall clock."""
        start, began_s, next_facts = time.monotonic(), self.time_s, 0.0
        self.say("advice", "walk", "Walk")
        while (now := time.monotonic() - start) < seconds:
            self.feed_until(began_s + now)
            if now >= next_facts:
                self.session()
                self.status()
                next_facts = now + 0.25
            time.sleep(batch_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=100.0)
    options = parser.parse_args()
    with RingWriter.create(options.name) as writer:
        feeder = Feeder(writer, options.rate)
        feeder.run(options.seconds)
        feeder.session(state="ended")


if __name__ == "__main__":
    main()
