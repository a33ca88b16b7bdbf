"""What really became of a sensor's samples, to be held against what the host believes."""

from dataclasses import dataclass


@dataclass
class SentLedger:
    """Every sample that a sensor produced is ``sent``, ``lost`` or ``unsent``.

    ``sent`` were handed to the link, ``lost`` fell into a planned gap, ``unsent`` were measured while nobody listened
    or the link was down. When the host hangs up, the few that were in the air at that moment count as sent.

    Of those sent: ``dropped`` were in datagrams that the network lost, ``duplicated`` went over the link a second
    time (as ``sent`` they count once), ``corrupted`` were in payloads of which a byte was altered.
    ``corrupted_payloads`` counts those payloads, ``garbage_bytes`` what belongs to no payload, ``reboots`` how often
    the device began anew: what it had measured and not yet sent is then gone, and is in no counter.
    """

    sent: int = 0
    lost: int = 0
    unsent: int = 0
    payloads: int = 0
    dropped: int = 0
    duplicated: int = 0
    corrupted: int = 0
    corrupted_payloads: int = 0
    garbage_bytes: int = 0
    reboots: int = 0
