"""Whether the daemon makes progress, told to the service manager: READY, WATCHDOG, STATUS.

The watchdog is fed only while the event loop turns, the ledger answers, and each room that is called comes round, or
at least facts are written down (a round of a large backlog may take hours) or questions answered (at the start there
may be thousands of foreign tasks to ask about). What waits for the world is no hang: while the disk refuses, the ledger
insists; while a scope is open, rooms wait for it. Nor are the rooms of folders judged: a dead network disk holds their
threads, and a restart would not bring it back.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from dropscribe.clock import Wake
from dropscribe.health import Signs, trouble
from dropscribe.house import House
from dropscribe.ledger import tallies, upkeep
from dropscribe.ledger.tallies import Work
from dropscribe.model import Scope
from dropscribe.sd_notify import Notifier

log = structlog.get_logger()

TICK = 10.0
CALL_EVERY = 60.0
"""Seconds between two calls of the rooms: each costs a look into the ledger."""
COUNTING_SHARE = 30
"""Counts of the ledger are asked for at most one part in thirty of the time."""


def status_line(work: Work, scopes: tuple[Scope, ...], remark: str = "") -> str:
    """One line for `systemctl status`. Pure."""
    counts = {
        "to upload": work.to_upload,
        "to submit": work.to_submit,
        f"at the service in {work.tasks} task{'' if work.tasks == 1 else 's'}": work.at_service,
        "to deliver": work.to_deliver,
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count]
    said = f"{work.files} file{'' if work.files == 1 else 's'} under way: {', '.join(parts)}" if parts else "idle"
    troubles = [f"{scope.name} ({scope.code})" for scope in scopes]
    out = [f"out of order: {', '.join(troubles)}"] if troubles else []
    return "; ".join([*out, said, *([remark] if remark else [])])


@dataclass(slots=True)
class Pulse:
    """One room: how many rounds it had made when it was looked at last, and since when a call is not taken up."""

    wake: Wake
    rounds: int = -1
    called: float | None = None

    def feel(self, now: float, call: bool) -> None:
        """See whether it moved; with `call`, wake it where no call is open."""
        if self.wake.taken_up != self.rounds:
            self.rounds, self.called = self.wake.taken_up, None
        if call and self.called is None:
            self.called = now
            self.wake.set()


class Heartbeat:
    """Beats for one daemon; `rooms` gives the wake-up events of the rooms that are judged now."""

    def __init__(self, house: House, rooms: Callable[[], Mapping[str, Wake]], notifier: Notifier) -> None:
        self._house = house
        self._rooms = rooms
        self._pulses: dict[str, Pulse] = {}
        self._notifier = notifier
        self._asked: float | None = None
        self._answer: asyncio.Task[Work] | None = None
        self._ask_at = self._call_at = self._fact_at = 0.0
        self._up = self._stopping = False
        self._work = Work()
        self._hanging: str | None = None
        self._remark = ""

    async def run(self) -> None:
        """Tell the manager that all is up, then beat until cancelled."""
        if not self._notifier.listened_to:
            return
        self._up = True
        self._notifier.ready()
        tick = min(TICK, (self._notifier.watchdog or TICK * 3) / 3)
        try:
            while True:
                self.beat()
                await self._house.clock.sleep(tick)
        finally:
            if self._answer is not None:
                self._answer.cancel()

    def beat(self) -> None:
        """Feed the watchdog if all that was asked before has moved; ask anew."""
        now, scopes = self._house.clock.monotonic(), self._house.scopes.open_scopes()
        self._ask_ledger(now)
        self._call_rooms(now)
        rooms = {name: pulse.called for name, pulse in self._pulses.items() if pulse.called is not None}
        names = [scope.name for scope in scopes]
        found = trouble(Signs(now, now, self._fact_at, self._asked, rooms=rooms, scopes=names))
        hanging = found.what if found is not None and found.hangs else None
        if hanging is None:
            self._notifier.alive()
        elif hanging != self._hanging:
            log.critical("daemon.hangs", what=hanging, remedy="the service manager restarts it; please report this")
        self._hanging = hanging
        if not self._stopping:
            self._notifier.status(status_line(self._work, scopes, self._remark))

    def stopping(self) -> None:
        self._stopping = True
        self._notifier.stopping()

    def around(self, reload: Callable[[], None]) -> Callable[[], None]:
        """`reload`, with the manager told of its begin and its end."""

        def told() -> None:
            before = self._house.settings
            self._notifier.reloading()
            reload()
            refused = self._house.settings is before
            self._remark = "the last reload was refused, the log says why" if refused else ""
            self._notifier.ready()
            self._notifier.status(status_line(self._work, self._house.scopes.open_scopes(), self._remark))

        return lambda: told() if self._up else reload()  # READY is not to be said too early

    def _call_rooms(self, now: float) -> None:
        call = now >= self._call_at
        if call:
            self._call_at = now + CALL_EVERY
        for name, wake in self._rooms().items():
            self._pulses.setdefault(name, Pulse(wake)).feel(now, call)

    def _ask_ledger(self, now: float) -> None:
        """One question at a time: through its writer, then through its reader."""
        if self._answer is not None:
            if not self._answer.done():
                return
            before, self._work = self._work, self._answer.result()
            self._fact_at = now if self._work != before else self._fact_at
            self._answer = self._asked = None
        if now >= self._ask_at:
            self._asked = now
            self._answer = asyncio.create_task(self._through_the_ledger(), name="heartbeat ledger")

    async def _through_the_ledger(self) -> Work:
        began = self._house.clock.monotonic()
        await self._house.ledger.do(upkeep.read_meta, "ledger_id")
        work = await self._house.ledger.look(tallies.work)
        took = self._house.clock.monotonic() - began
        self._ask_at = began + min(CALL_EVERY, took * COUNTING_SHARE)  # a large backlog takes long to count
        return work
