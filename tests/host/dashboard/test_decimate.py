import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from subtalar.dashboard.places.live.decimate import band, trace

BUCKET_S = 0.02


@given(n=st.integers(1, 5000), rate=st.sampled_from([25, 100, 400]), start=st.floats(0, 1e5))
def test_every_extreme_survives_and_points_are_bounded(n, rate, start):
    t = start + np.arange(n) / rate
    y = np.random.default_rng(n).normal(size=(n, 1))
    x, points = trace(t, y, BUCKET_S)
    assert len(x) == len(points) <= max(2 * (n / rate / BUCKET_S + 2), 4)
    assert np.nanmax(points) == y.max()
    assert np.nanmin(points) == y.min()
    assert np.all(np.abs(x[:1] - t[:1]) <= BUCKET_S)


def test_a_scrolling_trace_does_not_flicker():
    t = np.arange(4000) / 400
    y = np.random.default_rng(0).normal(size=(4000, 1))
    x1, y1 = trace(t, y, BUCKET_S)
    x2, y2 = trace(t[4:], y[4:], BUCKET_S)  # half a bucket later
    np.testing.assert_array_equal(x1[2:], x2[2:])
    np.testing.assert_array_equal(y1[2:], y2[2:])


def test_gaps_and_unknown_values_break_the_line():
    t = np.concatenate([np.arange(100), np.arange(150, 300)]) / 100
    y = np.sin(t)[:, None].copy()
    x, points = trace(t, y, BUCKET_S)
    (breaks,) = np.nonzero(np.isnan(points[:, 0]))
    assert len(breaks) == 1
    assert x[breaks[0] - 1] < 1.0 < 1.5 <= x[breaks[0] + 1]
    y[20:40] = np.nan
    x, points = trace(t, y, BUCKET_S)
    assert np.isnan(points[(x > 0.2) & (x < 0.38)]).all()
    assert np.isfinite(points[(x > 0.45) & (x < 0.9)]).all()


def test_empty_input_stays_empty():
    x, points = trace(np.empty(0), np.empty((0, 1)), BUCKET_S)
    assert x.shape == (0,)
    assert points.shape == (0, 1)
    assert len(band(np.arange(3.0), np.full(3, np.nan), np.ones(3), BUCKET_S)[0]) == 0


def test_the_band_holds_every_value_and_its_sd():
    t = np.arange(1000) / 100
    y, sd = 10 * np.sin(t), 1 + 0.5 * np.cos(t)
    middle, low, high = band(t, y, sd, 0.1)
    k = np.floor(t / 0.1).astype(int)
    np.testing.assert_allclose(middle, np.arange(100) / 10 + 0.05)
    assert (low[k] <= y - sd).all()
    assert (high[k] >= y + sd).all()
    assert (high - low).max() < 2 * sd.max() + 10 * 0.1 + 0.1
