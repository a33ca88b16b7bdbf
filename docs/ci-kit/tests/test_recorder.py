"""In real time: a recorder against sensors that misbehave."""

from my_lab.recorder import Recorder, samples_in


def test_nothing_that_was_sent_is_missed(serve_sensors):
    sensors = serve_sensors("ximu3", sites=("right_foot",))
    recorder = Recorder(sensors.addresses["right_foot"])
    recorder.run(1.0)
    assert len(recorder.links) == 1
    assert recorder.samples > 150
    assert 0 <= sensors.ledger("right_foot").sent - recorder.samples < 40  # the last ones were still in the air


def test_a_lost_link_is_made_again(lossy_link):
    recorder = Recorder(lossy_link.addresses["right_foot"])
    recorder.run(4.5)
    ledger = lossy_link.ledger("right_foot")
    assert len(recorder.links) < 20  # it does not hammer at a sensor that is out of reach
    assert samples_in(recorder.links[0]) > 100
    assert samples_in(recorder.links[-1]) > 100  # and has it again
    assert ledger.lost > 0  # in the sensor: nobody can receive these
    assert 0 <= ledger.sent - recorder.samples < 80


def test_a_reboot_costs_what_the_sensor_could_not_send_and_no_more(rebooting_sensor):
    recorder = Recorder(rebooting_sensor.addresses["right_foot"])
    recorder.run(4.0)
    ledger = rebooting_sensor.ledger("right_foot")
    assert ledger.reboots == 1
    assert samples_in(recorder.links[-1]) > 100  # and has it again
    assert 0 <= ledger.sent - recorder.samples < 80


def test_frames_survive_any_cut(simulated_leg):
    """Bytes as the device sends them, cut where nobody expects it."""
    sent = b"".join(arrival.data for arrival in simulated_leg(seconds=15).stream("right_foot"))
    whole, rest, pieces = [], b"", [sent[i : i + 7] for i in range(0, len(sent), 7)]
    for piece in pieces:
        *done, rest = (rest + piece).split(b"\n")
        whole += done
    assert whole == sent.split(b"\n")[:-1]
