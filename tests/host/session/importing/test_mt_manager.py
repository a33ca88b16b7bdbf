"""Folders of Xsens MT Manager exports: one clock from the packet counters, loss counted, refusals in words."""

import gzip
import json

import numpy as np
import pytest

from subtalar.errors import InputError
from subtalar.session import open_session
from subtalar.types import BodySite

DEVICES = {"leftfoot": "00B00001", "leftshank": "00B00002"}
FOOT, SHANK = BodySite.LEFT_FOOT, BodySite.LEFT_SHANK


def export(make, device, counts, seed=1, preamble=("Update Rate: 100.0Hz",), velocity_increments=False):
    rows = make.rows(seconds=len(counts) / 100, seed=seed)
    names = ["PacketCounter", "SampleTimeFine", "Acc_X", "Acc_Y", "Acc_Z", "Gyr_X", "Gyr_Y", "Gyr_Z"]
    names += ["VelInc_X", "VelInc_Y", "VelInc_Z"] if velocity_increments else []
    lines = [f"//  DeviceId: {device}", *(f"// {p}" for p in preamble), "\t".join(names)]
    for count, row in zip(counts, rows, strict=True):
        cells = [f"{count % 65536:05d}", "", *(f"{v:.6f}" for v in row[2:8])]
        cells += [f"{v / 100:.6f}" for v in row[2:5]] if velocity_increments else []
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n", rows


@pytest.fixture
def folder(tmp_path, make):
    def build(counts_foot, counts_shank, *, spec=None, compress=True, **options):
        where = tmp_path / "trial"
        where.mkdir()
        (where / "sensorspec.json").write_text(
            json.dumps(spec if spec is not None else {k: f"{v}.txt" for k, v in DEVICES.items()})
        )
        for seed, (device, counts) in enumerate(zip(DEVICES.values(), (counts_foot, counts_shank), strict=True)):
            text, _ = export(make, device, counts, seed=seed, **options)
            name = f"MT_012000E0_000-000_{device}.txt"
            if compress:
                (where / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
            else:
                (where / name).write_text(text)
        return where

    return build


def times(session, site):
    blocks = [b for b in session.blocks() if b.site == site]
    assert all((b.device_time_s == b.host_time_s).all() for b in blocks)
    return np.concatenate([b.host_time_s for b in blocks])


@pytest.mark.parametrize("compress", [False, True])
def test_counters_wrap_and_put_sensors_on_one_clock(folder, compress):
    """The foot starts at 65300; the shank joins ten packets after the wrap."""
    session = open_session(folder(range(65300, 66300), range(65546, 66300), compress=compress))
    np.testing.assert_allclose(times(session, FOOT), np.arange(1000) / 100, atol=1e-12)
    np.testing.assert_allclose(times(session, SHANK), 2.46 + np.arange(754) / 100, atol=1e-12)
    assert session.kind == "mt_manager"
    assert session.sensors[FOOT].address == "00B00001"
    assert session.sensors[FOOT].rate_hz == 100.0


def test_the_reference_may_be_the_one_that_starts_late(folder):
    session = open_session(folder(range(65546, 66300), range(65300, 66300)))
    assert times(session, FOOT)[0] == pytest.approx(2.46)
    assert times(session, SHANK)[0] == 0.0


def test_lost_repeated_and_swapped_packets(folder):
    counts = list(range(1000))
    del counts[500:507]
    counts[100] = counts[99]
    counts[200], counts[201] = counts[201], counts[200]
    session = open_session(folder(counts, range(1000)))
    ledger = session.ledger[FOOT]
    assert (ledger.received, ledger.lost, ledger.duplicated) == (992, 8, 1)
    assert (np.diff(times(session, FOOT)) > 0).all()
    assert len(session.notes) >= 2


def test_the_rate_may_follow_from_velocity_increments(folder):
    session = open_session(folder(range(900), range(900), preamble=(), velocity_increments=True))
    assert session.sensors[FOOT].rate_hz == 100.0


def test_a_rate_that_nothing_tells_is_asked_for(folder):
    with pytest.raises(InputError, match='add "update_rate_hz"'):
        open_session(folder(range(900), range(900), preamble=()))


@pytest.mark.parametrize("told", ["0Hz", "1.0.0Hz", ".Hz", "9" * 400 + "Hz", "-100", "fast"])
def test_a_rate_that_makes_no_sense_is_asked_for(folder, told):
    with pytest.raises(InputError, match="does not tell its update rate"):
        open_session(folder(range(1000), range(1000), preamble=(f"Update Rate: {told}",)))


@pytest.mark.parametrize("count", ["-5", "1e30", "7.5"])
def test_a_packet_counter_that_counts_nothing(folder, count):
    where = folder(range(1000), range(1000), compress=False)
    path = next(where.glob(f"*{DEVICES['leftfoot']}.txt"))
    path.write_text(path.read_text().replace("00007\t", f"{count}\t"))
    with pytest.raises(InputError, match="is no count of packets"):
        open_session(where)


def test_a_rate_in_the_spec_is_taken(folder):
    spec = {**{k: f"{v}.txt" for k, v in DEVICES.items()}, "update_rate_hz": 100}
    assert open_session(folder(range(900), range(900), preamble=(), spec=spec)).duration_s == pytest.approx(8.99)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"lefthand": "00B00001.txt"}, 'unknown sensor "lefthand"'),
        ({"leftfoot": "00B0000F.txt"}, "no export of that device"),
        ({"leftfoot": 7}, "must name a device"),
        ({"lumbar": "00B00001.txt"}, "neither a foot nor a shank"),
        ({"leftfoot": "00B0000"}, "more than one export for leftfoot"),
    ],
)
def test_spec_is_wrong(folder, spec, words):
    with pytest.raises(InputError, match=words):
        open_session(folder(range(900), range(900), spec=spec))


def test_exports_of_different_recordings(folder):
    with pytest.raises(InputError, match="do not overlap in time"):
        open_session(folder(range(900), range(20000, 20900)))


def test_exports_without_a_spec(folder):
    where = folder(range(900), range(900))
    (where / "sensorspec.json").unlink()
    with pytest.raises(InputError, match=r"no sensorspec\.json: add one"):
        open_session(where)


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", ",")])
def test_separators_that_the_exporter_offers(folder, separator, decimal):
    where = folder(range(1000), range(1000), compress=False)
    plain = open_session(where)
    for path in where.glob("MT_*.txt"):
        path.write_text(path.read_text().replace(".", decimal).replace("\t", separator))
    session = open_session(where)
    assert session.sensors[FOOT].rate_hz == 100.0
    for a, b in zip(plain.blocks(), session.blocks(), strict=True):
        np.testing.assert_array_equal(a.acc_m_s2, b.acc_m_s2)
        np.testing.assert_array_equal(a.gyr_rad_s, b.gyr_rad_s)


def test_decimal_commas_between_commas_are_refused(folder):
    where = folder(range(1000), range(1000), compress=False)
    for path in where.glob("MT_*.txt"):
        path.write_text(path.read_text().replace(".", ",").replace("\t", ","))
    with pytest.raises(InputError, match="are there commas inside the numbers"):
        open_session(where)


def test_rows_that_cannot_be_read_are_lost_packets(folder):
    where = folder(range(1000), range(1000), compress=False)
    path = next(where.glob(f"*{DEVICES['leftfoot']}.txt"))
    lines = path.read_text().splitlines()
    lines[500] = lines[500].rsplit("\t", 1)[0] + "\t"
    path.write_text("\n".join(lines))
    session = open_session(where)
    assert session.ledger[FOOT].lost == 1
    assert any("1 of 1000 rows of" in note for note in session.notes)


@pytest.mark.shared_data
def test_real_walk_on_a_treadmill(shared_data):
    session = open_session(shared_data / "movingreality" / "1019_pp10")
    assert set(session.sensors) == set(BodySite)
    assert {info.rate_hz for info in session.sensors.values()} == {100.0}
    assert session.duration_s == pytest.approx(125.06)
    assert {(ledger.received, ledger.lost) for ledger in session.ledger.values()} == {(12507, 0)}
    assert any("lumbar" in note for note in session.notes)
    first = next(b for b in session.blocks() if b.site == BodySite.LEFT_FOOT)
    np.testing.assert_array_equal(first.acc_m_s2[0], [4.950864, 0.748830, 8.334479])
    np.testing.assert_array_equal(first.gyr_rad_s[0], [0.000308, 0.004994, -0.000200])
    assert len(first) == 100


@pytest.mark.shared_data
def test_exports_without_gyroscope_are_refused(shared_data):
    with pytest.raises(InputError, match="no gyroscope columns"):
        open_session(shared_data / "opensense_example")
