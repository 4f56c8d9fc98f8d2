"""What has to go: objects whose result is safe, unfinished uploads, results older than `keep_results`.

Only keys that this ledger recorded before their first use are ever deleted; other instances share the prefix.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import wait_for_event
from dropscribe.errors import OutOfOrder, Refused, TryLater
from dropscribe.house import House
from dropscribe.ledger import upkeep
from dropscribe.ledger.rows import Doomed
from dropscribe.model import STORAGE

log = structlog.get_logger()

DELETE = Step("cleanup.delete-objects")

SCOPE = "deletes"
"""Of its own: a key that may write but not delete must not hold up uploads."""
STUBBORN = "undeletable"
"""Of single objects that stay while others go: they have a rhythm of their own."""
MOST = 500
MOST_STUBBORN = 8
"""After so many single objects that stay, the search for those that go is given up until the next sweep."""
EVERY = 60.0
"""What is doomed goes within a minute, even if nobody said so."""
GATHER = 0.5
"""Seconds that objects wait for company, so that a hundred results cost one request."""
RESULTS_EVERY = 3600.0


@dataclass
class Swept:
    """What one sweep did: keys that are gone, keys that stayed, and the last reason."""

    gone: list[str] = field(default_factory=list)
    stayed: list[str] = field(default_factory=list)
    fault: OutOfOrder | None = None

    def stays(self, keys: Sequence[str], fault: OutOfOrder) -> None:
        self.stayed += keys
        self.fault = fault


class Cleaner:
    """Deletes what the ledger has doomed."""

    def __init__(
        self,
        house: House,
        threads: Executor,
        on_gone: Callable[[], None],
    ) -> None:
        """`on_gone` is called when old objects made room for a new attempt."""
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._on_gone = on_gone
        self._results_at = 0.0
        self._stubborn: set[str] = set()
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Clean until cancelled."""
        while True:
            left = await self.sweep()
            await self._forget_results()
            if left:
                continue
            await wait_for_event(self.wake, self._clock, EVERY)
            await self._clock.sleep(GATHER)

    async def sweep(self) -> bool:
        """Delete up to `MOST` doomed objects; True where more may be left."""
        again = bool(self._stubborn) and self._scopes.may_pass(STUBBORN)
        skip = set() if again else self._stubborn
        doomed = await self._ledger.look(upkeep.doomed_objects, MOST, skip)
        if not doomed:
            self._scopes.release(STUBBORN)
            return False
        await self._scopes.passage(SCOPE)
        DELETE.before()
        swept = await asyncio.get_running_loop().run_in_executor(self._threads, self._delete, doomed)
        if swept.gone:
            await self._record(swept.gone)
        if await self._shares_the_storages_fault(swept):
            return True
        return await self._judge(swept) or len(doomed) == MOST

    async def _record(self, gone: Sequence[str]) -> None:
        DELETE.effect()
        await self._ledger.do(upkeep.objects_gone, gone)
        DELETE.recorded()
        await self._scopes.works(SCOPE)
        log.debug("objects.deleted", count=len(gone))
        self._on_gone()

    async def _shares_the_storages_fault(self, swept: Swept) -> bool:
        """What stops the uploads stops the deletes as well: it has been said, and its end is waited for."""
        storage = self._scopes.opened_by(STORAGE)
        if storage is None or swept.fault is None or swept.fault.code != storage.code:
            return False
        self._scopes.release(SCOPE)
        await self._scopes.passage(STORAGE)
        return True

    async def _judge(self, swept: Swept) -> bool:
        """Say what stayed; True where all of it is to be tried again when the scope lets it."""
        known = bool(swept.gone) or self._stubborn.issuperset(swept.stayed)
        self._stubborn -= set(swept.gone)
        if swept.fault is None:
            if not self._stubborn:
                await self._scopes.works(STUBBORN)
            return False
        remedy = f"{swept.fault.remedy} Until then objects stay in the bucket.".lstrip()
        scope = STUBBORN if known else SCOPE
        if known:
            self._stubborn |= set(swept.stayed)
            self._scopes.release(SCOPE)
        await self._scopes.report(replace(swept.fault, scope=scope, remedy=remedy))
        return not known

    def _delete(self, doomed: Sequence[Doomed]) -> Swept:
        """In a thread. One object that cannot go keeps no other."""
        swept = Swept()
        ready = []
        for one in doomed:
            fault = self._abort_all(one) if one.multipart and swept.fault is None else swept.fault
            if one.multipart and fault is not None:
                swept.stays([one.key], fault)
            else:
                ready.append(one.key)
        self._delete_keys(ready, swept)
        return swept

    def _abort_all(self, one: Doomed) -> OutOfOrder | None:
        try:
            self._abort(one)
        except (OutOfOrder, Refused, TryLater) as fault:
            return _as_fault(fault)
        return None

    def _delete_keys(self, keys: Sequence[str], swept: Swept) -> None:
        if not keys:
            return
        try:
            self._house.store.delete_many(keys)
        except (OutOfOrder, Refused, TryLater) as fault:
            if len(keys) == 1 or not _is_of_some(fault) or len(swept.stayed) >= MOST_STUBBORN:
                swept.stays(keys, _as_fault(fault))
                return
        else:
            swept.gone += keys
            return
        half = len(keys) // 2
        self._delete_keys(keys[:half], swept)
        self._delete_keys(keys[half:], swept)

    def _abort(self, one: Doomed) -> None:
        for upload_id in {one.upload_id, *self._house.store.unfinished(one.key)} - {None}:
            assert upload_id is not None
            self._house.store.abort(one.key, upload_id)

    async def _forget_results(self) -> None:
        if self._clock.monotonic() < self._results_at:
            return
        self._results_at = self._clock.monotonic() + RESULTS_EVERY
        before = self._clock.now() - self._house.settings.keep_results
        while dropped := await self._ledger.do(upkeep.forget_results, before):
            log.info("results.forgotten", count=dropped)


def _is_of_some(fault: OutOfOrder | Refused | TryLater) -> bool:
    """Whether fewer keys may do better: not where the storage, or our right to delete, is out of order."""
    return not isinstance(fault, OutOfOrder) or fault.code == "DeleteIncomplete"


def _as_fault(fault: OutOfOrder | Refused | TryLater) -> OutOfOrder:
    if isinstance(fault, OutOfOrder):
        return fault
    remedy = fault.remedy if isinstance(fault, Refused) else ""
    return OutOfOrder(SCOPE, fault.code, fault.message, remedy, request_id=fault.request_id)
