"""Error files that tell of what is no more: once a later version of a failed file is taken, its reason goes.

    taken again, or a version finished -> failed/ in order? -> the source is not there? -> as we wrote it? -> removed,
         folder synced -> its name is nobody's

Which they are stands in the ledger, so what a death cut short, or what failed/ was not there for, is made up for. One
that a person has written into, or put there, stays and is theirs.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

import structlog

from dropscribe.boundaries import Step
from dropscribe.disk.placing import sync_folder
from dropscribe.disk.sources import lies_below, seen_from
from dropscribe.errors import OutOfOrder
from dropscribe.folders import FolderGuard, FolderTrouble
from dropscribe.house import House
from dropscribe.ledger import reasons
from dropscribe.ledger.rows import StaleReason
from dropscribe.names import display
from dropscribe.placement import remove_reason

log = structlog.get_logger()
Value = TypeVar("Value")

STALE = Step("deliver.remove-stale")

LONGEST_REST = 1.0
"""Seconds between two looks at a scope that others may close."""


class StaleReasons:
    """Those of one inbox. Only its deliverer removes them, between its groups: it also writes the new ones."""

    def __init__(self, name: str, house: House, threads: Executor) -> None:
        self._name = name
        self._house = house
        self._ledger, self._scopes = house.ledger, house.scopes
        self._threads = threads
        self._everywhere = True
        self._suspects: set[bytes] = set()
        self._trouble: str | None = None

    def suspect(self, paths: Iterable[bytes]) -> None:
        """Something has become of the files at these paths."""
        self._suspects.update(paths)

    async def round(self) -> float | None:
        """Remove what is stale; seconds until the next try, None where nothing is left to do."""
        if not (self._everywhere or self._suspects):
            return None
        if self._trouble is not None and not self._scopes.may_pass(self._trouble):
            return self._rest(self._trouble)
        try:
            await self._look_after()
        except OutOfOrder as fault:
            self._trouble, self._everywhere = fault.scope, True
            await self._scopes.report(fault)
            return self._rest(fault.scope)
        if self._trouble is not None:
            await self._scopes.works(self._trouble)
            self._trouble = None
        return None

    def _rest(self, scope: str) -> float:
        return min(LONGEST_REST, max(0.05, self._scopes.wait(scope)))

    async def _look_after(self) -> None:
        """Raises OutOfOrder for failed/, which is not asked for where nothing is stale."""
        everywhere = await self._ledger.look(reasons.taken_again, self._name) if self._everywhere else []
        paths = sorted({*everywhere, *self._suspects})
        self._everywhere = False
        self._suspects.clear()
        found = await self._ledger.look(reasons.stale, self._name, paths)
        if not found:
            return
        inbox = self._house.inboxes[self._name]
        guard = self._house.guard(inbox.failed)
        STALE.before()
        gone = await self._in_thread(lambda: remove_stale(guard, found))
        STALE.effect()
        await self._ledger.do(reasons.gone, gone)
        STALE.recorded()

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def remove_stale(failed: FolderGuard, found: Sequence[StaleReason]) -> list[StaleReason]:
    """Remove those whose source does not lie in failed/; return those that nothing of ours is left of, durably.

    That one is not there counts only where failed/ was in order before and after. Blocking.

    Raises:
        OutOfOrder: failed/ is missing, elsewhere, or cannot be written.
    """
    failed.check()
    gone = [one for one in found if _is_gone(failed.path, one)]
    with FolderTrouble(failed.path):
        for folder in {os.path.dirname(one.path) for one in gone}:
            # Also where a person or `retry` has removed them: they sync nothing, and they would come back.
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                sync_folder(*seen_from(failed.path, folder))
    failed.check()
    return gone


def _is_gone(root: Path, one: StaleReason) -> bool:
    """Remove it; whether nothing of ours stands there any more. Its own fault leaves it to the next start."""
    if one.media.moved_to is not None and os.path.lexists(one.media.moved_to):
        return False
    try:
        with FolderTrouble(root):
            remove_reason(root, one)
    except (FileNotFoundError, NotADirectoryError):
        return lies_below(root, one.path)  # a folder of an earlier configuration may only be unmounted
    except OSError as error:
        log.warning("deliver.stale-reason-stays", path=display(one.path), reason=error.strerror)
        return False
    return True
