"""The account's task list, read whole: it decides what became of a submit."""

from collections.abc import Sequence
from dataclasses import replace

from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.model import API, TASKS, ListedTask


class TaskList:
    """Reads it, and says when it cannot be read."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._scopes = house.scopes

    async def read(self) -> Sequence[ListedTask]:
        """The complete list; an unreadable one means waiting, and saying so."""
        while True:
            await self._scopes.passage(API, TASKS)
            try:
                listed = await self._house.recogniser.list_tasks(None)
            except OutOfOrder as fault:  # reading the list is what a probe of the API does: no other needs to be asked
                await self._failed(fault)
            else:
                await self._worked()
                return listed

    async def _failed(self, fault: OutOfOrder) -> None:
        await self._scopes.report(fault if fault.scope == API else _list_fault(fault))
        self._scopes.release(TASKS)

    async def _worked(self) -> None:
        for scope in (API, TASKS):
            await self._scopes.works(scope)


def _list_fault(fault: OutOfOrder) -> OutOfOrder:
    wait = f"submits wait until the task list can be read{'; ' + fault.remedy if fault.remedy else ''}"
    return replace(fault, scope=TASKS, remedy=wait)
