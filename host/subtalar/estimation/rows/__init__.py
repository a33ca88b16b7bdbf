"""Tables of samples as they pass through the estimator: raw, of one sensor, of a leg, of a stride."""
