"""What a person has to know before they open the orientations in OpenSim."""

from typing import Final

NOTE: Final = """\
Orientations for OpenSim (OpenSense), from subtalar
===================================================

Files
  ..._right_orientations.sto, ..._left_orientations.sto   one leg, at its own sample times
  ..._orientations.sto    both legs, at the times of one of them (the other is turned to them between neighbouring rows)
  ..._placement.sto       the placement pose: quiet standing. Give it to the IMU Placer.
  ..._ankle.mot           dorsiflexion, inversion and tibial rotation in degrees, for plotting. These are ISB Cardan
                          angles and NOT coordinates of a model: a model's ankle_angle and subtalar_angle turn about
                          the oblique axes of that model.

How to use them
  IMU Placer and IMU Inverse Kinematics: sensor_to_opensim_rotations = 0 0 0 (the usual -1.5708 0 0 would be wrong: the
  files are in OpenSim's own axes, x forward, y up, z right). No base IMU and no heading correction: x is the direction
  of travel of the last stride of that leg, so that the leg always walks along x. There is no sensor on the pelvis:
  lock the pelvis, and expect the tibia's whole orientation to be taken up by hip and knee.
  The names follow the bodies: tibia_r_imu, calcn_r_imu, tibia_l_imu, calcn_l_imu.

Gaps
  A row in which something is not known is left out, and time goes on. OpenSim holds the last pose where a file
  has nan; so there is none.

The subtalar joint is locked in common models
  gait2392, gait2354, Rajagopal 2015 and models made of them come with subtalar_angle_r and subtalar_angle_l locked.
  With a locked joint all inversion is thrown into the other joints, and none is seen. Before inverse kinematics:
    in the GUI: Coordinates > subtalar_angle_r (and _l) > unlock; save the model
    in the file: <Coordinate name="subtalar_angle_r"> ... <locked>false</locked>
    in Python: model.getCoordinateSet().get("subtalar_angle_r").set_locked(False)
  Two hinges cannot make every orientation of a foot: what the model's ankle and subtalar axes do not allow stays as an
  orientation error. The ISB angles beside this file do not have that limit.
"""
