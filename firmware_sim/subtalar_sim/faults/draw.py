"""Fault scripts by the dice, for trials by the thousand."""

import numpy as np

_EARLIEST_S = 3.0


def random_script(seed: int, duration_s: float, transport: str) -> str:
    """One to five faults that can happen over ``transport`` within ``duration_s``, as a script."""
    rng = np.random.default_rng([seed, 19])

    def at(longest_s: float) -> str:
        start = rng.uniform(_EARLIEST_S, max(_EARLIEST_S + 1.0, duration_s - longest_s - 4.0))
        return f"{start:.3f}s"

    def span(shortest_s: float, longest_s: float) -> str:
        return f"{at(longest_s)}+{rng.uniform(shortest_s, longest_s):.3f}s"

    def share(most: float) -> str:
        return f"{rng.uniform(0.001, most):.4f}"

    kinds = [
        lambda: f"loss={share(0.1)}, gap_samples={rng.integers(1, 20)}",
        lambda: f"gap@{span(0.01, 2.0)}",
        lambda: f"corrupt={share(0.05)}",
        lambda: f"garbage={share(0.1)}",
        lambda: f"duplicate={share(0.1)}",
        lambda: f"stall@{span(0.05, 4.0)}",
        lambda: f"delay={rng.integers(1, 200)}ms, jitter={rng.integers(1, 50)}ms",
        lambda: f"slow_discovery={rng.uniform(0.1, 3.0):.2f}s",
        lambda: f"drop_link@{span(0.05, 5.0)}",
        lambda: f"drop_link@{span(0.05, 1.0)}, drop_link@{span(0.05, 1.0)}",
        lambda: f"clock_jump@{at(1.0)}={rng.choice([-1, 1]) * np.exp(rng.uniform(np.log(0.3), np.log(100.0))):.3f}s",
        lambda: f"reboot@{span(0.2, 3.0)}",
        lambda: f"saturate={share(1.0)}",
        lambda: f"battery_empty@{at(0.0)}",
    ]
    if transport in ("ble", "tcp"):
        kinds.append(lambda: f"refuse@{at(0.0)}={rng.integers(1, 4)}, drop_link@{span(0.05, 1.0)}")
        kinds.append(lambda: f"refuse={rng.integers(1, 4)}")
    if transport == "ble":
        kinds.append(lambda: f"mtu={rng.integers(23, 100)}")
    if transport == "udp":
        kinds += [lambda: f"datagram_loss={share(0.1)}", lambda: f"reorder={share(0.1)}"]
    chosen = sorted(rng.choice(len(kinds), size=int(rng.integers(1, 6)), replace=False).tolist())
    parts = [kinds[i]() for i in chosen]
    if any("refuse=" in p for p in parts):  # given once
        parts = [p for i, p in enumerate(parts) if "refuse" not in p or "refuse" not in "".join(parts[:i])]
    return ", ".join(parts)
