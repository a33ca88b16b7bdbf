"""What runs inside the acquisition process: sensors or a replay, estimator, recording. Slow to import."""
