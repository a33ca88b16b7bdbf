"""Draws the pictures of docs/how-the-heading-is-found.md from one simulated walk, run through the estimator itself.

What the estimator keeps to itself is looked at by wrapping three of its functions; nothing is computed twice.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from drawing import INK, PALE, X_COLOUR, Y_COLOUR, Z_COLOUR, save

from subtalar.estimation.clocks.arrival_floor import ArrivalFloor
from subtalar.estimation.estimator import GaitEstimator
from subtalar.estimation.gait import step_reporter
from subtalar.estimation.gait.gait_events import SwingEvents, swing_events
from subtalar.estimation.joint.heading import HeadingFilter
from subtalar.estimation.joint.joint_path import StrideHeading, ankle_velocity, stride_heading
from subtalar.estimation.leg import leg_tracker
from subtalar.estimation.leg.stride_learning import learn_stride
from subtalar.estimation.numerics import quaternions as quat
from subtalar.estimation.parameters import Parameters
from subtalar.estimation.rows.stride_window import StrideWindow
from subtalar.session.opening import open_session
from subtalar.types import AngleBlock, BodySite, GaitEvent
from subtalar_sim.body import BodyConfig
from subtalar_sim.config import SimulationConfig
from subtalar_sim.session_writer import write_session

FOOT_INK, SHANK_INK = "#b9770e", "#34608f"
CONFIG = SimulationConfig(
    body=BodyConfig(seed=3, walking_s=150.0), sites=("right_foot", "right_shank"), orientation="any", quality="typical"
)


@dataclass
class Observed:
    """What one run of the estimator let us see."""

    compared: list[tuple[StrideWindow, Any, Any, float]] = field(default_factory=list)
    evidence: list[StrideHeading] = field(default_factory=list)
    filtered: list[tuple[float, float, float, bool]] = field(default_factory=list)
    swings: list[tuple[Any, Any, Any]] = field(default_factory=list)
    angles: list[AngleBlock] = field(default_factory=list)
    events: list[GaitEvent] = field(default_factory=list)
    arrivals: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


def run(folder: Path) -> Observed:
    """Simulate, estimate, and keep what passed by."""
    observed = Observed()
    session = open_session(write_session(CONFIG, folder))
    whole_add = HeadingFilter.add

    def learn(window: StrideWindow, gravity: Any, centre: Any, heading_rad: float, *, known: bool) -> StrideHeading:
        found = learn_stride(window, gravity, centre, heading_rad, known=known)
        at = centre.estimate
        observed.compared.append((gravity.upright(window), at.foot_lever_m, at.shank_lever_m, at.offset_s))
        return found

    def add(self: HeadingFilter, stride: StrideHeading) -> bool:
        taken = whole_add(self, stride)
        observed.evidence.append(stride)
        here = np.array([stride.time_s])
        observed.filtered.append((stride.time_s, float(self.heading_rad(here)[0]), float(self.sd_rad(here)[0]), taken))
        return taken

    def swing(foot: Any, placement: Any) -> SwingEvents | None:
        right = quat.rotate(quat.conjugate(placement), np.array([0.0, 0.0, 1.0]))
        observed.swings.append((foot["time_s"], foot["gyr_rad_s"] @ right, foot["acc_m_s2"]))
        return swing_events(foot, placement)

    step_reporter.swing_events = swing  # type: ignore[assignment]
    leg_tracker.learn_stride, HeadingFilter.add = learn, add  # type: ignore[assignment,method-assign]
    try:
        estimator = GaitEstimator(session.sensors)
        arrivals: dict[str, list[np.ndarray]] = {site: [] for site in session.sensors}
        for block in session.blocks(5.0):
            assert block.device_time_s is not None
            assert block.host_time_s is not None
            arrivals[block.site].append(np.column_stack((block.device_time_s, block.host_time_s)))
            found = estimator.push(block)
            observed.angles += found.angles
            observed.events += found.events
        found = estimator.finish()
        observed.angles += found.angles
        observed.events += found.events
    finally:
        step_reporter.swing_events = swing_events
        leg_tracker.learn_stride, HeadingFilter.add = learn_stride, whole_add  # type: ignore[method-assign]
    observed.arrivals = {site: tuple(np.concatenate(parts).T) for site, parts in arrivals.items()}  # type: ignore[misc]
    return observed


def draw_clock(observed: Observed) -> None:
    """Arrival minus device time, and the line below it."""
    device, host = observed.arrivals[BodySite.RIGHT_SHANK]
    figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
    since, late = device - device[0], host - device
    lowest = late.min()
    some = slice(None, None, 5)
    ax.plot(since[some], 1e3 * (late[some] - lowest), ".", ms=1.5, color="#c4c8ce", label="samples", rasterized=True)
    edges = np.arange(0, since[-1], Parameters().clock.bin_s)
    bins = [late[(since >= a) & (since < a + 1)].argmin() + np.searchsorted(since, a) for a in edges]
    ax.plot(since[bins], 1e3 * (late[bins] - lowest), "o", ms=3, color=X_COLOUR, label="smallest of each second")
    floor, at_s, least_s = ArrivalFloor(Parameters().clock), since[bins], late[bins] - lowest
    for n, end in enumerate(edges + Parameters().clock.bin_s, start=1):  # second by second, as it is in a session
        slope, intercept = floor.fit(at_s[:n], least_s[:n], end)
    label = f"floor: the two clocks drift apart by {abs(1e6 * slope):.0f} ppm"
    ax.plot(since, 1e3 * (slope * since + intercept), color=INK, lw=1.5, label=label)
    ax.set(xlabel="device time since the first sample (s)", ylabel="arrival − device time\n(ms, from the smallest)")
    ax.set_ylim(-1, 12)
    figure.legend(loc="outside upper center", ncols=3, markerscale=2)
    save(figure, "clock.svg")


def one_stride(observed: Observed, after_s: float) -> tuple[StrideWindow, Any, Any, float]:
    """The first stride compared after an instant."""
    return next(c for c in observed.compared if c[0].middle_s > after_s)


def draw_ankle_path(observed: Observed) -> None:
    """The ankle's horizontal velocity as each sensor has it, before and after one turn about the vertical."""
    window, foot_lever, shank_lever, offset_s = one_stride(observed, 60.0)
    foot = ankle_velocity(window.foot, foot_lever, window.start, window.stop)
    shank = ankle_velocity(window.shank_at_foot_times(offset_s), shank_lever, window.start, window.stop)
    evidence = stride_heading(window, foot_lever, shank_lever, offset_s)
    v_foot, v_shank = foot[:, 0] + 1j * foot[:, 1], shank[:, 0] + 1j * shank[:, 1]
    t = window.foot.time_s[window.start : window.stop + 1]
    t = t - t[0]
    figure, axes = plt.subplots(2, 3, figsize=(11, 5.6), layout="constrained", width_ratios=[1, 1.25, 1.25])
    turn_deg = np.degrees(evidence.heading_rad)
    rows = (
        (v_shank, "each in its own world"),
        (np.exp(1j * evidence.heading_rad) * v_shank, f"the shank's turned by {turn_deg:.1f}°"),
    )
    for row, (shank_now, words) in enumerate(rows):
        plan, east, north = axes[row]
        plan.plot(v_foot.real, v_foot.imag, color=FOOT_INK, lw=2.6, label="from the foot sensor")
        plan.plot(shank_now.real, shank_now.imag, color=SHANK_INK, lw=1.3, label="from the shank sensor")
        plan.plot(0, 0, "+", color=INK)
        plan.set(xlabel="$v_x$ (m/s)", ylabel="$v_y$ (m/s)", title=words, xlim=(-5, 5), ylim=(-5, 5))
        plan.set_aspect("equal", adjustable="box")
        for ax, part, name in ((east, np.real, "$v_x$ (m/s)"), (north, np.imag, "$v_y$ (m/s)")):
            ax.axhline(0, color=PALE, lw=0.6)
            ax.plot(t, part(v_foot), color=FOOT_INK, lw=2.6)
            ax.plot(t, part(shank_now), color=SHANK_INK, lw=1.3)
            ax.set(xlabel="time since foot-flat (s)" if row else "", ylabel=name, ylim=(-5, 5))
    axes[1, 1].set_title(f"left unexplained: {100 * evidence.mismatch:.1f} % of the speed")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    save(figure, "ankle-path.svg")


def draw_heading(observed: Observed) -> None:
    """One value a stride, and what the filter makes of them; calibration's repeated rounds are left out."""
    last_restart = max(
        i for i in range(1, len(observed.filtered)) if observed.filtered[i][0] < observed.filtered[i - 1][0]
    )
    t, heading, sd, taken = (np.array(x) for x in zip(*observed.filtered[last_restart:], strict=True))
    raw = np.degrees(np.unwrap([e.heading_rad for e in observed.evidence[last_restart:]]))
    heading = np.degrees(np.unwrap(heading))
    heading += 360 * np.round((raw[0] - heading[0]) / 360)
    zero = heading[0]
    figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    band = 2 * np.degrees(sd)
    ax.fill_between(t, heading - zero - band, heading - zero + band, color=Z_COLOUR, alpha=0.15, lw=0, label="± 2 sd")
    used = taken.astype(bool)
    ax.plot(t[used], raw[used] - zero, "o", ms=3.5, color=Y_COLOUR, label="one stride's velocity curves")
    if not used.all():
        ax.plot(t[~used], raw[~used] - zero, "x", ms=5, color=X_COLOUR, label="not believed")
    ax.plot(t, heading - zero, color=Z_COLOUR, lw=1.6, label="filter")
    ax.set(xlabel="session time (s)", ylabel="relative heading\nsince the first stride (°)")
    ax.legend(loc="best", ncols=2)
    save(figure, "heading-per-stride.svg")


def draw_events(observed: Observed) -> None:
    """Pitch rate of the foot and the force it feels, from one rest to the next, with the events found in them."""
    t, pitch_rate, acc = next(swing for swing in observed.swings if swing[0][0] > 60.0)
    body, delay_s = CONFIG.make_body(), fixed_delay_s(observed)
    truths = {"foot_off": body.foot_offs_s("right"), "initial_contact": body.initial_contacts_s("right")}
    figure, axes = plt.subplots(2, 1, figsize=(8, 4.6), sharex=True, layout="constrained", height_ratios=[1.6, 1])
    axes[0].plot(t - t[0], np.degrees(pitch_rate), color=FOOT_INK, lw=1.6)
    axes[0].axhline(0, color=PALE, lw=0.6)
    axes[0].set_ylabel("pitch rate of the foot\n(°/s, + toes up)")
    axes[1].plot(t - t[0], np.linalg.norm(acc, axis=1), color=FOOT_INK, lw=1.6)
    axes[1].set(ylabel="specific force\nat the foot (m/s²)", xlabel="time since foot-flat (s)")
    top = 1.16 * np.degrees(pitch_rate).max()
    for kind, name in (("foot_off", "foot off"), ("initial_contact", "initial contact")):
        found = next(e.time_s for e in observed.events if e.kind == kind and t[0] < e.time_s < t[-1])
        true = truths[kind] + delay_s
        true_s = true[np.argmin(np.abs(true - found))]
        for ax in axes:
            ax.axvline(found - t[0], color=Z_COLOUR, lw=1.4, label="found")
            ax.axvline(true_s - t[0], color=INK, lw=1.1, ls=":", label="the simulated body's own")
        axes[0].text(found - t[0] - 0.01, top, name, color=Z_COLOUR, ha="right", va="center")
    figure.legend(*(x[:2] for x in axes[0].get_legend_handles_labels()), loc="outside upper center", ncols=2)
    save(figure, "gait-events.svg")


def truth_and_estimate(observed: Observed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (n,), angles (n, 3), sd (n, 3) of all rows that have a value."""
    t = np.concatenate([b.time_s for b in observed.angles])
    angles = np.concatenate([b.ankle_deg for b in observed.angles])
    sd = np.concatenate([b.ankle_sd_deg for b in observed.angles])
    known = np.isfinite(angles).all(axis=1)
    return t[known], angles[known], sd[known]


def fixed_delay_s(observed: Observed) -> float:
    """How much later the session clock shows an instant: the sensor's fixed delay, which only a simulation can tell."""
    t, angles, _ = truth_and_estimate(observed)
    part = slice(len(t) // 3, len(t) // 3 + 2000)
    body, tries = CONFIG.make_body(), np.arange(0.0, 0.06, 0.001)
    misfit = [np.std(body.angles_deg("right", t[part] - d)[:, 0] - angles[part, 0]) for d in tries]
    return float(tries[int(np.argmin(misfit))])


def draw_angles(observed: Observed) -> None:
    """Three strides of all three angles beside the truth."""
    t, angles, sd = truth_and_estimate(observed)
    delay_s = fixed_delay_s(observed)
    part = np.flatnonzero((t > 90.0) & (t < 93.3))[::2]
    truth = CONFIG.make_body().angles_deg("right", t[part] - delay_s)
    figure, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True, layout="constrained")
    names = ("dorsiflexion", "inversion", "tibial rotation")
    for k, (ax, name, colour) in enumerate(zip(axes, names, (Z_COLOUR, X_COLOUR, Y_COLOUR), strict=True)):
        here, spread = angles[part, k], 2 * sd[part, k]
        ax.axhline(0, color=PALE, lw=0.6)
        ax.fill_between(t[part], here - spread, here + spread, color=colour, alpha=0.15, lw=0)
        ax.plot(t[part], here, color=colour, lw=1.8, label="estimate ± 2 sd")
        ax.plot(t[part], truth[:, k], color=INK, lw=1.0, ls="--", label="simulated truth")
        ax.set_ylabel(f"{name} (°)")
        ax.legend(loc="upper right", ncols=2)
        ax.margins(y=0.25)
    axes[-1].set_xlabel("session time (s)")
    save(figure, "angles-and-truth.svg")


def main() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as folder:
        observed = run(Path(folder))
    for draw in (draw_clock, draw_ankle_path, draw_heading, draw_events, draw_angles):
        draw(observed)


if __name__ == "__main__":
    main()
