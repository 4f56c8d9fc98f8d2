"""Adopt what was paid before, and hold what cannot be told: a transcript that cannot be read may be ours.

    outbox in order? -> transcript of ours? -> missing formats beside it -> delivered, nothing is bought
    otherwise out of order -> the file waits in the inbox, and is tried again; the others go on

What is held lives only in memory, like all that is not taken yet.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

import structlog

from dropscribe.adopt import CannotTell, OwnSet, adopted, own_outputs
from dropscribe.config.settings import InboxSettings
from dropscribe.disk import faults
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.ledger import intake
from dropscribe.ledger.rows import NewMedia, PlannedOutput
from dropscribe.model import Fingerprint, Look
from dropscribe.names import display
from dropscribe.settle import Tracker

log = structlog.get_logger()
Value = TypeVar("Value")

LONGEST_HOLD = 60.0
"""Seconds after which a held file is tried again at the latest."""


@dataclass(frozen=True, slots=True)
class _Held:
    fingerprint: Fingerprint
    scope: str
    again_at: float


class Adopting:
    """For one inbox that keeps its sources."""

    def __init__(self, name: str, house: House, threads: Executor, hold: Callable[[NewMedia], None]) -> None:
        """`hold` sees to it that a file comes again."""
        self._name = name
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._hold_back = hold
        self._held: dict[bytes, _Held] = {}
        self._opened: set[str] = set()

    @property
    def alarms(self) -> frozenset[str]:
        """Scopes that were found out of order here; who ends this has to end them."""
        return frozenset(self._opened)

    def fingerprint(self, path: bytes, look: Look) -> Fingerprint | None:
        """That of a held file that is unchanged, which needs no second reading."""
        held = self._held.get(path)
        return held.fingerprint if held is not None and held.fingerprint.look == look else None

    async def to_take(self, inbox: InboxSettings, files: Sequence[NewMedia]) -> list[NewMedia]:
        """The files that are to be taken the ordinary way: those neither adopted nor held."""
        return [new for new in files if not await self._is_seen_to(inbox, new)]

    async def let_go(self, waiting: Tracker) -> None:
        """Forget held files that do not wait any more, and end the alarms that were theirs alone."""
        self._held = {path: held for path, held in self._held.items() if path in waiting}
        done = self._opened - {held.scope for held in self._held.values()}
        self._opened -= done
        for scope in done:
            await self._scopes.works(scope)

    async def _is_seen_to(self, inbox: InboxSettings, new: NewMedia) -> bool:
        held = self._held.get(new.path)
        if held is not None and held.fingerprint == new.fingerprint and self._clock.monotonic() < held.again_at:
            self._hold_back(new)
            return True
        try:
            seen_to = await self._adopt(inbox, new)
        except OutOfOrder as fault:
            await self._hold(new, fault)
            return True
        except CannotTell as hidden:
            if held is None:
                log.warning("adopt.waits", inbox=self._name, path=display(new.path), reason=str(hidden))
            await self._hold(new, _hidden(self._name, new, hidden))
            return True
        self._held.pop(new.path, None)
        return seen_to

    async def _hold(self, new: NewMedia, fault: OutOfOrder) -> None:
        self._opened.add(fault.scope)
        await self._scopes.report(fault)
        again_at = self._clock.monotonic() + min(LONGEST_HOLD, self._scopes.wait(fault.scope))
        self._held[new.path] = _Held(new.fingerprint, fault.scope, again_at)
        self._hold_back(new)

    async def _adopt(self, inbox: InboxSettings, new: NewMedia) -> bool:
        if not await self._ledger.look(intake.is_unknown, inbox.name, new):
            return False
        found = await self._in_thread(lambda: self._find(inbox, new))
        if found is None:
            return False
        outputs = await self._completed(inbox, new, found)
        if not await self._ledger.do(intake.adopt, inbox.name, new, outputs, self._clock.now()):
            return False
        log.info("file.adopted", inbox=inbox.name, path=display(new.path), outputs=len(outputs))
        return True

    def _find(self, inbox: InboxSettings, new: NewMedia) -> OwnSet | None:
        """That nothing is there counts only where the outbox was in order before and after."""
        if "json" not in inbox.outputs:
            return None
        outbox = self._house.guard(inbox.outbox)
        outbox.check()
        found = own_outputs(inbox, new)
        if found is None:
            outbox.check()
        return found

    async def _completed(self, inbox: InboxSettings, new: NewMedia, own: OwnSet) -> Sequence[PlannedOutput]:
        """What cannot be had now is no reason to buy the file again, nor for others to wait: `dropscribe render`
        writes it at any time.
        """
        try:
            return await self._in_thread(lambda: adopted(inbox, own))
        except (OutOfOrder, OSError) as fault:
            log.warning("adopt.incomplete", inbox=self._name, path=display(new.path), reason=str(fault))
        except Exception:
            log.exception("adopt.incomplete", inbox=self._name, path=display(new.path))
        return [own.transcript]

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _hidden(name: str, new: NewMedia, hidden: CannotTell) -> OutOfOrder:
    known = faults.folder_fault(hidden.error, display(hidden.path))
    what = f"{display(new.path)} waits: its transcript may stand in the outbox and cannot be read ({hidden})"
    remedy = f"{known.remedy}; or move what stands there away, and the file is recognised anew; the other files go on"
    return OutOfOrder(f"adopting:{name}", known.code, what, remedy)
