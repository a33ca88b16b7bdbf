"""The process that runs sensors, estimator and recorder, and publishes to shared memory."""
