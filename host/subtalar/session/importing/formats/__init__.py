"""One file a format: a raw session folder, Movella DOT, MT Manager, x-IMU3, and tables that a mapping describes."""
