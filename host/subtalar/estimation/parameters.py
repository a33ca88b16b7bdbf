"""Every constant of the estimator in one frozen place, with where it comes from. None is fitted to a recording."""

from dataclasses import dataclass, field

from subtalar.errors import InputError


@dataclass(frozen=True)
class ClockParameters:
    """Device clock to session clock (``sensor_clock.py``, ``arrival_floor.py``)."""

    bin_s: float = 1.0
    window_s: float = 900.0
    """Some beats of a radio's turns with the samples: 10 ms of place at 50 ppm is one beat of 200 s."""
    fade_s: float = 300.0
    """What is so much older counts e times less: a delay that changes for good is believed within half a minute if it
    is shorter, within ten if it is longer."""
    floor_quantile: float = 0.1
    floor_rounds: int = 3
    scatter_s: float = 2e-3
    """By how much the least delay of a second scatters about the floor, at most."""
    far_scatters: float = 10.0
    """A second whose least delay is so far below the floor, as when a queue is worked off, is the floor at once."""
    finest_s: float = 1e-4
    drift_sd: float = 50e-6
    drift_again_sd: float = 5e-6
    """A device that was started anew is warmer or colder, but has the same crystal."""
    drift_change_sd_hz: float = 2e-8
    """±10 ppm within forty minutes: a tuning fork or an AT cut that is put on a warm leg."""
    max_drift: float = 300e-6
    """Crystal oscillators stay within ±100 ppm; twice that and a margin."""
    max_drift_counted: float = 0.03
    """For sensors without a clock, whose real rate may be 1 % off the nominal one."""
    counted_window_s: float = 30.0
    lost_step_s: float = 0.012
    """A lasting jump of the arrival envelope beyond this means samples were lost on the way."""
    lasting_bins: int = 3
    bins_before_steps: int = 6
    step_back_s: float = 0.025
    """Samples on a busy computer come late for seconds. By more than a sensor's hidden delay is looked for in the
    motion (``offset_prior_sd_s``) their times are put right at once; to steer there takes 200 s a second."""


@dataclass(frozen=True)
class InclinationParameters:
    """VQF (Laidig & Seel 2023, doi 10.1016/j.inffus.2022.10.014) with its published defaults but for the clip."""

    bias_clip_deg_s: float = 8.0
    """Cheap gyroscopes are off by 3 °/s and more; the published 2 °/s would hide that."""


@dataclass(frozen=True)
class RestingBiasParameters:
    """Gyroscope bias from rest where VQF recognises none (``resting_bias.py``)."""

    smoothing_hz: float = 1.0
    rest_s: float = 2.5
    max_spread_rad_s: float = 0.03
    """1.7 °/s: sway of 1 °/s and noise."""
    max_mean_rad_s: float = 0.2
    far_rad_s: float = 0.026
    """1.5 °/s: nobody sways that fast one way for seconds."""
    sd_deg_s: float = 0.3


@dataclass(frozen=True)
class GravityParameters:
    """Gravity and accelerometer bias over strides (``gravity.py``)."""

    bias_sd_m_s2: float = 0.3
    """30 mg: what data sheets of commodity accelerometers allow after soldering."""
    scale_sd: float = 0.01
    least_scale_error: float = 0.03
    bad_scale_error: float = 0.08
    """Of gravity in standing: what no data sheet allows, and what spoils angles (12.1 m/s² was seen in a
    file)."""
    standing_sd_m_s2: float = 0.02
    rest_velocity_sd_m_s: float = 0.06
    """By how much the ankle's velocity in two rests differs: they are found to some centimetres a second."""
    gravity_wander_m_s2_sqrt_s: float = 0.06
    """0.35 °/√s: gyroscopes whose axes are off by a per cent tilt their world in each turn of the walk."""
    bias_wander_m_s2_sqrt_s: float = 0.0005
    own_vertical_sd_m_s2: float = 0.1
    stride_vertical_sd_m_s2: float = 0.03
    fade_m_s2_sqrt_s: float = 0.02
    """The three by which the vertical of the newest stride fades into VQF's own when no strides follow."""


@dataclass(frozen=True)
class StillnessParameters:
    """When a sensor is at rest (``standing.py``)."""

    smoothing_hz: float = 1.0
    max_rate_spread_rad_s: float = 0.10
    """Sway in quiet standing turns the shank by 1–5 °/s, after stroke too; a step or a knee bend by ten times that."""
    max_mean_rate_rad_s: float = 0.12
    """A gyroscope may be off by 5 °/s before its bias is known."""
    min_duration_s: float = 1.5


@dataclass(frozen=True)
class FootFlatParameters:
    """Where the foot rests during stance (``foot_flat.py``)."""

    smoothing_hz: float = 6.0
    rest_fraction: float = 0.2
    move_fraction: float = 0.4
    least_rest_rad_s: float = 0.35
    least_move_rad_s: float = 1.0
    shortest_rest_s: float = 0.1
    window_s: float = 0.1
    force_weight_rad_s_per_m_s2: float = 0.25
    """So much angular rate disturbs a rest as much as 1 m/s² beside gravity."""
    most_unrest_rad_s: float = 1.5
    """The shock of running must not outlast itself in the smoothed signal."""
    max_unrest_rad_s: float = 2.0
    """At the stillest instant, weighed like that: what speeds up by 8 m/s², or turns by 115 °/s, is in the air."""
    most_tilt_rad: float = 0.2
    """11.5°: a foot whose rests were flat on the floor is in the air, or on its toes, if it now leans further…"""
    agreeing_tilts: int = 3
    """…unless so many rests in a row lean alike: then the floor or the strap is another."""
    min_stride_s: float = 0.4
    max_stride_s: float = 3.0


@dataclass(frozen=True)
class JointCentreParameters:
    """Lever arms and clock offset from the shared ankle acceleration (``joint_centre.py``)."""

    cutoff_hz: float = 10.0
    foot_prior_sd_m: float = 0.10
    shank_prior_height_m: float = 0.20
    shank_prior_sd_m: float = 0.15
    offset_prior_sd_s: float = 0.025
    acceleration_noise_m_s2: float = 3.0
    """Skin, shoe and sensor disagree by this much; it sets how many strides outweigh the prior."""
    memory_strides: float = 40.0


@dataclass(frozen=True)
class HeadingParameters:
    """Relative heading of foot and shank (``heading.py``)."""

    evidence_sd_deg: float = 0.3
    evidence_per_mismatch_deg: float = 10.0
    """Error of one stride's heading: 0.13–0.27° (median) about the trend on four real legs of mismatch 0.03–0.04."""
    gain_sd: float = 0.015
    """Two gyroscopes disagree by a share of every turn: scale factors of commodity sensors are 1 % off."""
    turn_share: float = 0.004
    """What of a turn remains unexplained by that."""
    mismatch_memory_strides: float = 10.0
    walk_deg_sqrt_s: float = 0.12
    drift_prior_deg_s: float = 0.15
    """Six-axis fusion drifts by 2–20 °/min while walking."""
    drift_walk_deg_s_sqrt_s: float = 0.004
    standing_sd_deg: float = 0.4
    outlier_deg: float = 6.0
    agreeing_refusals: int = 3
    """So many strides in a row that are outliers together show that the heading really jumped."""
    strides_after_restart: int = 2
    """After a gap angles are given again from this many strides on."""
    max_velocity_mismatch: float = 0.45


@dataclass(frozen=True)
class PlacementParameters:
    """Sensor to segment (``placement.py``)."""

    strides: int = 3
    settle_strides: int = 12
    """While there are fewer, each stride re-solves placement over all of them."""
    min_bend_rad: float = 0.35
    """Turning of the shank over a resting foot, there and back, that counts as a knee bend."""
    resting_foot_rad_s: float = 0.15
    least_rest_ratio: float = 0.7
    """Foot and shank exchanged give a third; of eleven legs, walking and running, none is below 1.2 in the median."""
    least_common_turning: float = 0.2
    """Foot and shank of one leg: 0.71 to 0.88 in the median of fourteen legs, walking and running, no stride of the
    simulated and few of the real ones below 0.5. A shank of the other leg: −0.3 to −0.6."""
    min_travel_m: float = 0.25
    longest_clock_gap_s: float = 1.6
    least_clock_gap_s: float = 0.06
    """Less is what the joint centre finds by itself (``offset_prior_sd_s``)."""
    mendable_clock_gap_s: float = 0.9
    """Whoever is later than that is not waited for (``partner_patience_s``)."""
    least_agreement: float = 0.6
    half_stride_share: float = 0.5
    """The other leg does the same half a stride later; a limping one a quarter to three quarters."""
    reversed_step_rad: float = 0.02
    """1.2° from one stride's heading to the next: 0.2–0.9° in the median of ten legs and the trials; 2.4–7.7° with the
    sign of one accelerometer turned."""
    reversed_ratio: float = 3.0


@dataclass(frozen=True)
class ZeroParameters:
    """What the zero of the angles is worth (``zero_pose.py``, ``calm_stance.py``)."""

    walk_sd_deg: float = 4.5
    """Of the ankle's mean over a stride against quiet standing: 4–5° between people (Schwartz et al. 2008)."""
    walk_frontal_share: float = 0.5
    """Seen from the front: of six legs of four people after stroke the foot in its rests is 1° (root mean square) off
    its pose in standing, the shank on average over a stride 3.6°; simulated bare feet roll inward by 6–12°, and their
    shanks are off by less than 1°."""
    walk_foot_sd_deg: float = 3.0
    walk_gravity_sd_m_s2: float = 0.5
    """How well the first rest of a walk knows gravity."""
    walk_mismatch: float = 0.3
    """Of strides without any standing before them, which might be no steps at all."""
    shortest_stance_s: float = 0.6
    longest_stance_s: float = 8.0
    least_sd_deg: float = 0.3
    """People do not stand twice in quite the same pose."""
    brief_deg_s: float = 0.4
    """The sd of a stance of one second by its shortness alone."""
    sway_memory_s: float = 1.0
    """Sway is one and the same for about so long."""
    per_rate_s: float = 0.5
    """A leg that turns by 1 °/s on average is not where it would stand by half a degree."""
    most_sd_deg: float = 3.0
    """A worse stance is none."""
    better: float = 0.7
    """A new zero must be better than the old one by this share."""
    most_apart: float = 3.0
    """Sitting and a stride's pose are no standing: they differ from what the walk shows by so many sd."""
    good_sd_deg: float = 0.7
    """From here on a zero counts as known, and none better is looked for."""


@dataclass(frozen=True)
class StrapParameters:
    """When a sensor has turned on its segment (``strap_slip.py``).

    Nine witnesses in their order there: the foot from the front, from the side, against the way; the joint about its
    three axes; the shank from the front, from the side, against the way. On ten legs of people after stroke the means
    of eight strides differ within minutes by 1–2°, 1–2° and 2–6° at the foot, 1–3°, 2–8° and 2–6° at the joint; the
    ankle moves in the shank by 1–3 mm (side) and 2–5 mm (front) of 240.
    """

    strides_before: int = 18
    fewest_before: int = 6
    strides_after: int = 5
    strides_first: int = 12
    strides_slow: int = 8
    """The newest ones, compared with the first for a strap that creeps."""
    stride_sd_deg: tuple[float, ...] = (0.6, 0.6, 1.0, 0.8, 1.0, 0.8, 0.5, 0.5, 1.0)
    gait_sd_deg: tuple[float, ...] = (0.5, 0.6, 1.5, 0.8, 0.9, 1.2, 1.0, 0.6, 1.5)
    per_change_deg: tuple[float, ...] = (5.0, 5.0, 10.0, 8.0, 12.0, 15.0, 6.0, 4.0, 10.0)
    wander_deg_min: tuple[float, ...] = (0.2, 0.2, 1.0, 0.5, 0.8, 0.8, 0.3, 0.2, 1.0)
    lever_share: float = 0.1
    """From stride to stride the joint centre of real legs scatters by a third to a fifth of the sd that its equations,
    which allow for skin and shoe, give it."""
    least_gain: float = 17.0
    """Twice the logarithm of a likelihood ratio of 5,000. Ten legs of people after stroke, who changed speed, reach
    4–13, three of them 16–18 with a rival as good, much left unexplained or for one stride only."""
    doubtful_gain: float = 5.0
    half_believed_gain: float = 10.0
    least_lead: float = 7.0
    """By so much the rival sensor explains it worse."""
    most_left: float = 12.0
    left_per_gain: float = 0.2
    least_slip_rad: float = 0.05
    most_scatter: float = 0.7
    """Strides that stray by more than this share of the slip show none."""
    strides_to_settle: int = 2
    """How far it was is known when so many more strides agree."""
    most_turn_rad: float = 0.35
    """Strides in which the foot turns by more than 20° are not compared."""
    most_mismatch: float = 0.3
    stale_rad: float = 0.09
    """Rows with more doubt than 5° are not to be trusted."""
    settling_s: float = 5.0
    """Nor those soon after a gap, while inclination is found anew."""
    renewed_sd_deg: float = 1.5
    """How well a new mounting is known from the strides after a slip."""


@dataclass(frozen=True)
class SegmentParameters:
    """Angles of a segment to the floor (``segment_angles.py``)."""

    floor_sd_deg: float = 0.8
    """What remains of inclination and placement when all goes well."""
    axis_sd_deg: float = 2.0
    """How far the medio-lateral axis of a leg with both sensors is off the segment's own: that share of the sagittal
    angle shows in the frontal one."""
    axis_from_walk_sd_deg: float = 8.0
    """The same without knee bends: in walking the shank also turns about its long axis."""
    lone_foot_axis_sd_deg: float = 4.0
    """The axis about which a foot turns most is not quite its medio-lateral one."""
    lone_shank_axis_sd_deg: float = 3.0
    """From knee bends; without them as for both sensors."""
    tilt_settling_s: float = 4.0
    """After a gap in mid-walk inclination comes back this slowly: 3° off after 2 s, 1° after 7 s."""
    flat_foot_sd_deg: float = 1.0
    """How far the foot in mid-stance is off its pose in quiet standing."""


@dataclass(frozen=True)
class SubtalarAxis:
    """Where the subtalar axis lies in the foot (``subtalar_axis.py``): a mean of cadaver feet, not the person's own.

    ``inclination_deg`` is up from the horizontal, ``deviation_deg`` to the midline from the foot's long axis. The mean
    is that of Inman 1976, "The Joints of the Ankle" (from the 46 feet of Isman & Inman 1969, Bull Prosthet Res
    10-11:97-129, which spread over 20–69° and 4–47°); Manter 1941 (Anat Rec 80:397-410) found 42° and 16°.
    Raises InputError where no foot's axis could lie there.
    """

    inclination_deg: float = 42.0
    deviation_deg: float = 23.0

    def __post_init__(self) -> None:
        if not (5.0 <= self.inclination_deg <= 80.0 and -20.0 <= self.deviation_deg <= 60.0):
            raise InputError(
                f"No foot has a subtalar axis with an inclination of {self.inclination_deg:g}° and a deviation of "
                f"{self.deviation_deg:g}°: give 5 to 80 and −20 to 60; the mean axis is 42,23."
            )


@dataclass(frozen=True)
class Parameters:
    """All parts; the defaults are the product."""

    clock: ClockParameters = field(default_factory=ClockParameters)
    resting_bias: RestingBiasParameters = field(default_factory=RestingBiasParameters)
    gravity: GravityParameters = field(default_factory=GravityParameters)
    inclination: InclinationParameters = field(default_factory=InclinationParameters)
    stillness: StillnessParameters = field(default_factory=StillnessParameters)
    foot_flat: FootFlatParameters = field(default_factory=FootFlatParameters)
    joint_centre: JointCentreParameters = field(default_factory=JointCentreParameters)
    heading: HeadingParameters = field(default_factory=HeadingParameters)
    placement: PlacementParameters = field(default_factory=PlacementParameters)
    zero: ZeroParameters = field(default_factory=ZeroParameters)
    strap: StrapParameters = field(default_factory=StrapParameters)
    subtalar_axis: SubtalarAxis = field(default_factory=SubtalarAxis)
    segments: SegmentParameters = field(default_factory=SegmentParameters)
    longest_bridge_s: float = 0.12
    """Lost samples up to this are bridged by interpolation and flagged; longer gaps stay gaps."""
    longest_calm_bridge_s: float = 1.0
    calm_rad_s: float = 0.4
    calm_before_s: float = 1.0
    """A sensor that has hardly turned for that long before a longer gap, nor after it, did not turn in it either. A
    foot between two steps rests for less, and a whole swing fits into a gap."""
    partner_patience_s: float = 1.0
    """How long a row waits for the other sensor of the leg before it is written without a value."""
    lowest_rate_hz: float = 40.0
    most_acc_m_s2: float = 4000.0
    most_gyr_rad_s: float = 140.0
    """Beyond 400 g or 8000 °/s (twice the widest range of such sensors) it is not a measurement."""
    angle_floor_sd_deg: tuple[float, float, float] = (0.40, 0.35, 0.25)
    """What remains when the heading is certain: inclination and placement."""
    soft_tissue_sd_deg: tuple[float, float, float] = (9.0, 26.0, 32.0)
    """Skin and shoe move: sd of each angle per mismatch of the two sensors' ankle paths beyond ``sensor_mismatch``."""
    sensor_mismatch: float = 0.02
    """Mismatch that sampling and noise alone leave."""
    tilt_per_bias: float = 0.35
    """Share of an unknown accelerometer bias (as an angle) that shows in angles that count from standing."""
    tilt_per_excess: float = 0.1
    """Where impacts make gravity seem too large, so large a share of the excess may lie across (as an angle)."""
    tilt_after_reset_deg: float = 6.0
    tilt_settling_s: float = 2.0
    """Inclination found anew after a gap: first error, and how fast it fades (VQF averages its first 3 s)."""
