"""Routes that move bytes: Bluetooth LE, serial ports, TCP. Foreign errors are translated here."""
