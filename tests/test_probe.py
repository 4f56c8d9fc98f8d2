"""A probe tells a dead service from one bad call, costs nothing, and leaves nothing behind."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO, cast

import pytest

from clocks import FakeClock
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.ledger import Ledger, upkeep
from dropscribe.model import API, DOWNLOADS, STORAGE
from dropscribe.probe import CONTENT, FRESH, Prober
from dropscribe.remote.ports import Unreachable
from dropscribe.scopes import PROBED, Scopes

LOST = OutOfOrder(STORAGE, "Unreachable", "the connection was cut")


@dataclass
class World:
    """A storage and a recogniser that do as they are told, and a prober that asks them."""

    ledger: Ledger
    scopes: Scopes
    clock: FakeClock
    put_fault: Exception | None = None
    get: Callable[[], bytes] = lambda: CONTENT
    api_fault: OutOfOrder | None = None
    asked: list[str] = field(default_factory=list)
    doomed: int = 0
    fails_first: int = 0
    """How many questions fail before the first that works."""
    prober: Prober = field(init=False)

    def __post_init__(self) -> None:
        settings = SimpleNamespace(storage=SimpleNamespace(prefix="dropscribe/"))
        house = SimpleNamespace(
            ledger=self.ledger, scopes=self.scopes, clock=self.clock, store=self, recogniser=self, settings=settings
        )
        self.prober = Prober(cast(House, house), ThreadPoolExecutor(1), self.fetch, self.on_doomed)

    def put(self, key: str, source: BinaryIO, size: int) -> int:
        self.asked.append(key)
        assert len(source.read()) == size
        if len(self.asked) <= self.fails_first:
            raise LOST
        if self.put_fault is not None:
            raise self.put_fault
        return 0

    def signed_url(self, key: str, lifetime: float) -> str:
        return f"https://bucket/{key}"

    def fetch(self, url: str, patience: float) -> bytes:
        return self.get()

    def on_doomed(self) -> None:
        self.doomed += 1

    async def probe(self) -> None:
        self.asked.append("list")
        if len(self.asked) <= self.fails_first:
            raise OutOfOrder(API, "Unreachable", "nobody answers")
        if self.api_fault is not None:
            raise self.api_fault

    def open_scopes(self) -> dict[str, str]:
        return {scope.name: scope.code for scope in self.scopes.open_scopes()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = FakeClock()
    ledger = Ledger(tmp_path / "state", lambda error: None)

    async def nothing(_: object) -> None: ...

    yield World(ledger, Scopes(clock, 5.0, 300.0, nothing, nothing, probed=PROBED), clock)
    ledger.close()


async def test_where_a_probe_works_only_the_callers_own_scope_is_to_blame(world: World) -> None:
    fault = await world.prober.blame(LOST, "uploads")

    assert (fault.scope, fault.code) == ("uploads", "Unreachable")
    assert world.open_scopes() == {}


async def test_where_a_probe_fails_alike_the_whole_scope_is_out_of_order(world: World) -> None:
    world.put_fault = OutOfOrder(STORAGE, "AccessDenied", "no")

    fault = await world.prober.blame(LOST, "uploads")

    assert fault.scope == STORAGE
    assert world.open_scopes() == {STORAGE: "AccessDenied"}


async def test_a_fault_of_something_else_is_nobodys_business(world: World) -> None:
    fault = OutOfOrder("model:fun-asr", "ModelNotFound", "no such model")

    assert await world.prober.blame(fault, "submits") is fault
    assert world.asked == []


async def test_calls_that_fail_in_one_moment_are_one_question(world: World) -> None:
    await asyncio.gather(*(world.prober.blame(LOST, "uploads") for _ in range(10)))
    assert len(world.asked) == 1

    world.clock.advance(FRESH)
    await world.prober.blame(LOST, "uploads")
    assert len(world.asked) == 2


async def test_once_the_scope_is_open_nobody_is_asked_again(world: World) -> None:
    world.put_fault = LOST

    faults = await asyncio.gather(*(world.prober.blame(LOST, "uploads") for _ in range(10)))

    assert {fault.scope for fault in faults} == {STORAGE}
    assert len(world.asked) == 1


async def test_a_signed_url_that_is_refused_shuts_the_downloads_and_not_the_storage(world: World) -> None:
    def refused() -> bytes:
        raise OutOfOrder(DOWNLOADS, "AccessDenied", "no", "allow oss:GetObject")

    world.get = refused

    assert (await world.prober.blame(LOST, "uploads")).scope == "uploads"
    assert world.open_scopes() == {DOWNLOADS: "AccessDenied"}


async def test_a_public_endpoint_that_cannot_be_reached_from_here_says_nothing(world: World) -> None:
    def nobody() -> bytes:
        raise Unreachable("no route")

    world.get = nobody
    missing = OutOfOrder(DOWNLOADS, "InvalidFile.DownloadFailed", "not fetched")

    assert (await world.prober.blame(missing, "results")).scope == "results"


async def test_other_content_at_the_signed_url_is_told(world: World) -> None:
    world.get = lambda: b"a log-in page"

    await world.prober.blame(OutOfOrder(DOWNLOADS, "FILE_403_FORBIDDEN", "no"), "results")

    assert world.open_scopes() == {DOWNLOADS: "OtherContent"}


@pytest.mark.parametrize("fails", [False, True])
async def test_the_probes_object_is_recorded_before_its_first_use_and_doomed_after_it(
    world: World, fails: bool
) -> None:
    world.put_fault = LOST if fails else None

    await world.prober.blame(LOST, "uploads")

    [key] = world.asked
    assert key.startswith(f"dropscribe/{world.ledger.id}/")
    assert [doomed.key for doomed in await world.ledger.look(upkeep.doomed_objects, 10)] == [key]
    assert world.doomed == 1


async def test_a_request_to_slow_down_proves_that_the_api_knows_us(world: World) -> None:
    world.api_fault = OutOfOrder("queries", "Throttling", "slow down", quiet=True)

    fault = await world.prober.blame(OutOfOrder(API, "InvalidApiKey", "no"), "submits")

    assert fault.scope == "submits"


@pytest.mark.parametrize("name", sorted(PROBED))
async def test_an_open_scope_is_probed_when_it_is_due_until_it_is_in_order(world: World, name: str) -> None:
    await world.scopes.report(OutOfOrder(name, "Down", "nobody answers"))
    world.fails_first = 3
    running = asyncio.create_task(world.prober.run())
    try:
        await asyncio.wait_for(world.scopes.passage(name), timeout=10)
    finally:
        running.cancel()

    assert len(world.asked) == 4
    assert world.clock.monotonic() >= 5 + 10 + 20 + 40
