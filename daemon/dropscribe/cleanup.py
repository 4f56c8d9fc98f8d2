"""What has to go: objects whose result is safe, unfinished uploads, results older than `keep_results`.

Only keys that this ledger recorded before their first use are ever deleted; other instances share the prefix.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import wait_for_event
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.ledger import upkeep
from dropscribe.ledger.rows import Doomed

log = structlog.get_logger()

DELETE = Step("cleanup.delete-objects")

SCOPE = "deletes"
"""Of its own: a key that may write but not delete must not hold up uploads."""
MOST = 500
GATHER = 0.5
"""Seconds that objects wait for company, so that a hundred results cost one request."""
RESULTS_EVERY = 3600.0


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
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Clean until cancelled."""
        while True:
            left = await self.sweep()
            await self._forget_results()
            if left:
                continue
            await wait_for_event(self.wake, self._clock, RESULTS_EVERY)
            await self._clock.sleep(GATHER)

    async def sweep(self) -> bool:
        """Delete up to `MOST` doomed objects; True where more may be left."""
        doomed = await self._ledger.look(upkeep.doomed_objects, MOST)
        if not doomed:
            return False
        await self._scopes.passage(SCOPE)
        DELETE.before()
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._delete, doomed)
        except OutOfOrder as fault:
            remedy = f"{fault.remedy} Until then objects stay in the bucket."
            await self._scopes.report(replace(fault, scope=SCOPE, remedy=remedy))
            return True
        DELETE.effect()
        await self._ledger.do(upkeep.objects_gone, [one.key for one in doomed])
        DELETE.recorded()
        await self._scopes.works(SCOPE)
        log.debug("objects.deleted", count=len(doomed))
        self._on_gone()
        return len(doomed) == MOST

    def _delete(self, doomed: Sequence[Doomed]) -> None:
        for one in doomed:
            if one.multipart:
                self._abort(one)
        self._house.store.delete_many([one.key for one in doomed])

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
