"""From two streams of inertial samples to the ankle: clocks, inclination, placement, heading, angles, strides."""
