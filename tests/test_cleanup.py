"""What cannot be deleted keeps nothing else, and ends no daemon."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clocks import FakeClock
from dropscribe.cleanup import MOST_STUBBORN, Cleaner
from dropscribe.errors import OutOfOrder, Refused, TryLater
from dropscribe.house import House
from dropscribe.ledger.rows import Doomed
from dropscribe.scopes import Scopes

FAULTS = [OutOfOrder("storage", "DeleteIncomplete", "one is locked"), Refused("X", "no"), TryLater("X", "later")]


class Store:
    """Deletes all but the locked keys."""

    def __init__(self, locked: set[str], fault: Exception) -> None:
        self.locked, self.fault, self.calls = locked, fault, 0

    def delete_many(self, keys: Sequence[str]) -> None:
        self.calls += 1
        if self.locked & set(keys):
            raise self.fault


def cleaner(store: Store, ledger: Any = None) -> Cleaner:
    clock = FakeClock()

    async def nothing(_: object) -> None: ...

    scopes = Scopes(clock, 5.0, 300.0, nothing, nothing)
    house = cast(House, SimpleNamespace(ledger=ledger, scopes=scopes, clock=clock, store=store))
    return Cleaner(house, ThreadPoolExecutor(1), lambda: None)


def doomed(count: int) -> list[Doomed]:
    return [Doomed(str(n), False, None) for n in range(count)]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_object_that_stays_keeps_no_other(fault: Exception) -> None:
    store = Store({"77"}, fault)

    swept = cleaner(store)._delete(doomed(500))

    assert swept.stayed == ["77"] and len(swept.gone) == 499
    assert swept.fault is not None and store.calls < 25


def test_a_storage_that_deletes_nothing_is_not_asked_for_every_single_object() -> None:
    store = Store({str(n) for n in range(500)}, FAULTS[0])

    swept = cleaner(store)._delete(doomed(500))

    assert swept.gone == [] and len(swept.stayed) == 500
    assert store.calls < 10 * MOST_STUBBORN


class Memory:
    """As much of a ledger as the cleaner needs."""

    def __init__(self, objects: list[Doomed]) -> None:
        self.objects = objects

    async def look(self, _: object, most: int, skip: set[str]) -> list[Doomed]:
        return [one for one in self.objects if one.key not in skip][:most]

    async def do(self, _: object, gone: Sequence[str]) -> None:
        self.objects = [one for one in self.objects if one.key not in gone]


async def test_what_is_gone_is_recorded_and_what_stays_waits_apart() -> None:
    store, memory = Store({"7"}, FAULTS[0]), Memory(doomed(9))
    rooms = cleaner(store, memory)

    assert not await rooms.sweep()
    assert [one.key for one in memory.objects] == ["7"]
    calls = store.calls
    assert not await rooms.sweep() and store.calls == calls, "it has a rhythm of its own"
