"""Whether a running daemon makes progress: one pure rule, for `/healthz`, for the watchdog, for whoever has to know.

A fault of the world (a dead network, a wrong key, a limit that is reached) is no ill health: the daemon waits, says so,
and a restart would change nothing. Ill is what only a restart or a person at this machine can mend. Whoever asks fills
in the signs that they see; what is not seen is taken for well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LOOP_DEAF = 30.0
LEDGER_DEAF = 120.0
"""Seconds; an answer takes milliseconds, and a disk that refuses is known as a scope."""
ROOM_DEAF = 900.0
"""Seconds without a fact; calls of the network end by themselves long before."""
STANDSTILL = 900.0
"""Seconds in which nothing moved though something could: longer than any single step that is not at the service."""
LEDGER = "ledger"
OF_FOLDERS = ("folder:", "moving:", "deliver:", "obstacle:", "adopting:")
"""Scopes that none of the judged rooms waits for."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen of a daemon. Times are monotonic seconds.

    `due`: something could be done now; `out`: something is being uploaded or lies with the service.
    """

    now: float
    loop_at: float
    """When the event loop turned last."""
    moved_at: float
    """When any file last came further."""
    ledger_asked: float | None = None
    """Since when the ledger owes an answer to a question that had to be written down."""
    ledger_full: bool = False
    """Whether its disk has no room left; it may have nothing to write, and so not know it."""
    rooms: Mapping[str, float] = field(default_factory=dict)
    """Since when rooms that are called have not come round."""
    scopes: Sequence[str] = ()
    """Names of what is known to be out of order."""
    due: bool = False
    out: bool = False
    ended: Sequence[str] = ()
    """Rooms that are not there any more."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`what` is not well; `hangs`: a restart mends it, and no person need be asked."""

    what: str
    sentence: str
    hangs: bool = True


def trouble(signs: Signs) -> Trouble | None:
    """Why the daemon is not well; None where it is."""
    return _of_the_loop(signs) or _of_the_ledger(signs) or _of_a_room(signs) or _of_the_work(signs)


def _of_the_loop(signs: Signs) -> Trouble | None:
    if signs.ended:
        return Trouble("rooms", f"these parts of the daemon have ended: {', '.join(signs.ended)}; restart dropscribe")
    deaf = signs.now - signs.loop_at
    if deaf > LOOP_DEAF:
        return Trouble("loop", f"the event loop has not turned for {deaf:.0f} s; restart dropscribe")
    return None


def _of_the_ledger(signs: Signs) -> Trouble | None:
    if signs.ledger_full or LEDGER in signs.scopes:
        return Trouble(LEDGER, "the ledger cannot be written; see to the disk of the state folder", hangs=False)
    deaf = 0.0 if signs.ledger_asked is None else signs.now - signs.ledger_asked
    if deaf > LEDGER_DEAF:
        return Trouble(LEDGER, f"the ledger has not answered for {deaf:.0f} s; see to the disk of the state folder")
    return None


def _of_a_room(signs: Signs) -> Trouble | None:
    if any(not name.startswith(OF_FOLDERS) for name in signs.scopes):
        return None
    for name, since in signs.rooms.items():
        deaf = signs.now - max(since, signs.moved_at)
        if deaf > ROOM_DEAF:
            return Trouble(name, f"{name} has not come round for {deaf:.0f} s; restart dropscribe")
    return None


def _of_the_work(signs: Signs) -> Trouble | None:
    """Not taken for a hang: a dead network disk may hold the threads of its folder, and a restart would not help."""
    idle = signs.now - signs.moved_at
    if not signs.due or signs.out or signs.scopes or idle <= STANDSTILL:
        return None
    said = f"there is work, nothing is out of order, and nothing has moved for {idle:.0f} s; restart dropscribe"
    return Trouble("work", said, hangs=False)
