"""What the codecs send: exact bytes, waits as data, answers and silences."""

from collections.abc import Callable

import pytest

from subtalar.errors import InputError, LinkError
from subtalar.protocol import DeviceProtocol, Expect, Pause, Script, Send, create_protocol, find_model, model_for_name
from subtalar.protocol.witmotion import battery_percent


def play(protocol: DeviceProtocol, script: Script, answer: Callable[[bytes], bytes]) -> tuple[list[bytes], float]:
    """Drive a script against a device given as a function; what was sent, and how long the waits add up to."""
    sent: list[bytes] = []
    waited_s = 0.0
    reply = True
    while True:
        try:
            step = script.send(reply) if sent or waited_s else next(script)
        except StopIteration:
            return sent, waited_s
        reply = True
        if isinstance(step, Send):
            sent.append(step.data)
            protocol.feed(answer(step.data))
        elif isinstance(step, Pause):
            waited_s += step.duration_s
        elif isinstance(step, Expect):
            reply = step.until()
            waited_s += 0.0 if reply else step.timeout_s


def registers(**values: int) -> Callable[[bytes], bytes]:
    def answer(command: bytes) -> bytes:
        if command[:3] == b"\xff\xaa\x27":
            value = values.get(f"r{command[3]:02x}", 0)
            return bytes((0x55, 0x71, command[3], 0)) + value.to_bytes(2, "little") + bytes(14)
        return b""

    return answer


def test_witmotion_configuration_is_unlock_write_read_back():
    protocol = create_protocol("witmotion", 200)
    sent, waited_s = play(protocol, protocol.configure(), registers(r03=0x0B))
    assert [s.hex() for s in sent] == ["ffaa6988b5", "ffaa030b00", "ffaa270300"]
    assert waited_s == pytest.approx(0.2)


def test_witmotion_that_keeps_its_rate_is_an_error_after_a_second_try():
    protocol = create_protocol("witmotion", 200)
    with pytest.raises(LinkError, match="does not take the rate 200 Hz"):
        play(protocol, protocol.configure(), registers(r03=0x06))


def test_witmotion_silence_to_questions_is_bounded_and_no_error():
    protocol = create_protocol("witmotion")
    sent, waited_s = play(protocol, protocol.configure(), lambda _: b"")
    assert len(sent) == 4
    assert waited_s < 2
    sent, waited_s = play(protocol, protocol.poll_battery(), lambda _: b"")
    assert [s.hex() for s in sent] == ["ffaa276400"]
    assert waited_s < 1


@pytest.mark.parametrize(("centivolts", "percent"), [(420, 100), (396, 100), (395, 90), (373, 30), (340, 5), (339, 0)])
def test_witmotion_battery_steps(centivolts, percent):
    assert battery_percent(centivolts) == percent


def test_rates_that_lie_are_not_offered():
    assert 125.0 not in find_model("witmotion").protocol.offered_rates_hz()
    with pytest.raises(InputError, match="choose one of"):
        create_protocol("witmotion", 125)
    with pytest.raises(InputError, match="cannot sample at 333 Hz"):
        create_protocol("ximu3", 333)


def echo(command: bytes) -> bytes:
    return command


def test_ximu3_configuration():
    protocol = create_protocol("ximu3", 200)
    sent, waited_s = play(protocol, protocol.configure(), echo)
    assert sent[0] == b'{"ping":null}\n'
    assert b'{"binary_mode_enabled":true}\n' in sent
    assert b'{"inertial_message_rate_divisor":2}\n' in sent
    assert b'{"ahrs_message_rate_divisor":0}\n' in sent
    assert sent[-1] == b'{"apply":null}\n'
    assert waited_s == 0
    assert not any(word in b"".join(sent) for word in (b"save", b"factory", b"erase"))


def test_ximu3_keys_match_without_regard_to_case_and_punctuation():
    def shout(command: bytes) -> bytes:
        return command.replace(b"_", b" ").upper().replace(b"TRUE", b"true").replace(b"NULL", b"null")

    protocol = create_protocol("ximu3")
    assert play(protocol, protocol.configure(), shout)[1] == 0


def test_ximu3_silence_is_one_sentence_within_two_seconds():
    protocol = create_protocol("ximu3")
    with pytest.raises(LinkError, match="does not answer") as caught:
        play(protocol, protocol.configure(), lambda _: b"")
    assert "\n" not in str(caught.value)


def test_ximu3_refusal_carries_the_reason():
    def refuse(command: bytes) -> bytes:
        return b'{"inertial_message_rate_divisor":{"error":"Invalid value"}}\n' if b"inertial" in command else command

    protocol = create_protocol("ximu3")
    with pytest.raises(LinkError, match="Invalid value"):
        play(protocol, protocol.configure(), refuse)


def test_blink_or_a_reason_why_not():
    protocol = create_protocol("ximu3")
    assert play(protocol, protocol.blink(), echo)[0] == [b'{"blink":null}\n']
    with pytest.raises(InputError, match="no command"):
        play(create_protocol("witmotion"), create_protocol("witmotion").blink(), echo)


def test_models_are_found_by_name_alias_and_advertisement():
    assert find_model("X-IMU3").name == "ximu3"
    for name, model in (
        *(("WT901BLE67", "witmotion"), ("WT901BLECL5.0", "witmotion"), ("WT9011DCL-BT50", "witmotion")),
        *(("WT901CL", "witmotion-serial"), ("BWT901CL", "witmotion-serial")),
        *(("Movella DOT", "movella-dot"), ("Xsens DOT", "movella-dot"), ("Thingy", "thingy52")),
    ):
        found = model_for_name(name)
        assert found is not None
        assert found.name == model
    assert model_for_name("Fridge") is None
    with pytest.raises(InputError, match="known ones are"):
        find_model("thing")
