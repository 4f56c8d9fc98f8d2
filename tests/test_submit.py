"""When the next batch leaves is counted from now, and a try that told nothing of its scopes holds up no other."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from clocks import FakeClock
from dropscribe.errors import OutOfOrder, RequestRefused
from dropscribe.folders import FolderGuard, missing
from dropscribe.house import House
from dropscribe.ledger import intake, uploads
from dropscribe.model import SUBMITS, Identity, Recipe
from dropscribe.remote.ports import TooLate
from dropscribe.submit import Submitter
from houses import furnished
from ledger.desk import FUN_ASR, WHO, file


@dataclass
class Refusing:
    """A service that takes nothing, and a storage that signs everything."""

    why: Exception = field(default_factory=TooLate)
    identity: Identity = WHO
    server_time: float | None = None

    async def submit(self, *_: object) -> None:
        raise self.why

    def signed_url(self, key: str, seconds: float) -> str:
        return f"https://storage/{key}"


class Away(FolderGuard):
    """The inbox is away, which takes some time to find out: so its files are not taken for vanished."""

    takes: Callable[[], None] = staticmethod(lambda: None)

    def check(self) -> None:
        self.takes()
        raise missing(self.path)


@asynccontextmanager
async def submitter(
    root: Path, clock: FakeClock, service: Refusing, slow: float = 0.0
) -> AsyncIterator[tuple[House, Submitter]]:
    nobody = cast(Any, lambda *_: None)

    def guard(folder: Path) -> FolderGuard:
        built = Away(folder, lambda _: None, lambda *_: None)
        built.takes = lambda: clock.advance(slow)
        return built

    async def itself(fault: OutOfOrder, _: str) -> OutOfOrder:
        return fault

    (root / "inbox").mkdir()
    with furnished(root, clock) as house, ThreadPoolExecutor(2) as threads:
        house.store = house.recogniser = cast(Any, service)
        house.guard = guard
        built = Submitter(house, threads, nobody, nobody, nobody, lambda: False, itself)
        yield house, built
        await built.stop()


async def upload(house: House, *names: str, recipe: Recipe = FUN_ASR) -> None:
    now, ledger = house.clock.now(), house.ledger
    files = [file(name.encode(), name, recipe) for name in names]
    await ledger.do(intake.take, "talks", files, now)
    jobs = await ledger.do(uploads.claim, 100, now, 1, lambda suffix: f"{secrets.token_hex(4)}.{suffix}", 10**9)
    await ledger.do(uploads.all_uploaded, [(job.recognition_id, False) for job in jobs], now)


async def test_how_long_the_next_batch_waits_is_counted_from_when_the_last_has_left(tmp_path: Path) -> None:
    clock = FakeClock()
    async with submitter(tmp_path, clock, Refusing(), slow=8.0) as (house, room):
        await upload(house, "a.mp3")
        clock.advance(house.settings.batch.max_wait)
        await upload(house, "b.mp3", recipe=Recipe("other"))

        pause = await room._depart()

    assert pause == pytest.approx(house.settings.batch.max_wait - 8.0)


@pytest.mark.parametrize(
    "why", [TooLate(), RequestRefused("InvalidFile", "it is none"), RuntimeError("a bug")], ids=type
)
async def test_a_submit_that_told_nothing_of_a_scope_gives_its_try_back(tmp_path: Path, why: Exception) -> None:
    clock = FakeClock()
    async with submitter(tmp_path, clock, Refusing(why)) as (house, room):
        await house.scopes.report(OutOfOrder(SUBMITS, "Busy", "come again", "wait"))
        await upload(house, "a.mp3", "b.mp3", "c.mp3")
        house.settings = replace(house.settings, batch=replace(house.settings.batch, max_wait=0.0))
        clock.advance(house.scopes.wait(SUBMITS))
        await room._depart()
        assert not house.scopes.may_pass(SUBMITS)

        await asyncio.wait(room._sending)

        assert house.scopes.may_pass(SUBMITS)
