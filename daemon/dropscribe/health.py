"""Whether a running daemon makes progress: one pure rule, for `/healthz` and for whoever else has to know.

A fault of the world (a dead network, a wrong key, a limit that is reached) is no ill health: the daemon waits, says so,
and a restart would change nothing. Ill is what only a restart or a person at this machine can mend.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LOOP_DEAF = 30.0
LEDGER_DEAF = 60.0
STANDSTILL = 900.0
"""Seconds in which nothing moved though something could: longer than any single step that is not at the service."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen of a daemon. Times are monotonic seconds.

    `due`: something could be done now; `out`: something is being uploaded or lies with the service; `held_up`:
    something is known to be out of order and holds work back.
    """

    now: float
    loop_at: float
    """When the event loop turned last."""
    ledger_at: float
    """When the ledger last wrote something down and answered."""
    moved_at: float
    """When any file last came further."""
    due: bool = False
    out: bool = False
    held_up: bool = False
    ended: Sequence[str] = ()
    """Rooms that are not there any more."""


def trouble(signs: Signs) -> str | None:
    """Why the daemon is not well, as a sentence; None where it is."""
    if signs.ended:
        return f"these parts of the daemon have ended: {', '.join(signs.ended)}; restart dropscribe"
    if signs.now - signs.loop_at > LOOP_DEAF:
        return f"the event loop has not turned for {signs.now - signs.loop_at:.0f} s; restart dropscribe"
    if signs.now - signs.ledger_at > LEDGER_DEAF:
        seconds = signs.now - signs.ledger_at
        return f"the ledger has not answered for {seconds:.0f} s; see to the disk of the state folder"
    idle = signs.now - signs.moved_at
    if signs.due and not signs.out and not signs.held_up and idle > STANDSTILL:
        return f"there is work, nothing is out of order, and nothing has moved for {idle:.0f} s; restart dropscribe"
    return None
