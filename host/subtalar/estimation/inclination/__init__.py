"""Where down is, and the biases that hide it: one sensor from raw samples to rows with inclination."""
