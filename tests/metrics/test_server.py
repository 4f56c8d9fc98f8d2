"""The endpoint answers on loopback, to this machine's names only, and cheaply."""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from clocks import ManualClock
from dropscribe.config.settings import MetricsSettings
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.metrics.room import Metrics
from dropscribe.metrics.server import FRESH
from dropscribe.model import Scope
from houses import furnished
from lab import free_port


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    with furnished(tmp_path, clock, metrics=MetricsSettings(free_port())) as built, ThreadPoolExecutor(1) as threads:
        serving = asyncio.create_task(Metrics(built, threads, lambda: ended).run())
        await until_served(built)
        yield built
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


ended: list[str] = []


async def until_served(house: House) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", house.settings.metrics.port)
        except OSError:
            await asyncio.sleep(0)
        else:
            writer.close()
            return


async def until_unwell(house: House) -> None:
    while True:
        if (await get(house, "/healthz"))[0] == 503:
            return
        await asyncio.sleep(0)


async def get(house: House, path: str, host: str | None = None) -> tuple[int, str]:
    headers = {} if host is None else {"Host": host}
    url = f"http://127.0.0.1:{house.settings.metrics.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("host", [None, "localhost:9464", "LOCALHOST", "[::1]:9464"])
async def test_this_machine_is_answered(house: House, host: str | None) -> None:
    assert (await get(house, "/metrics", host))[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9464", "127.0.0.1.evil.example", "localhost.evil"])
async def test_a_page_that_came_by_another_name_is_refused(house: House, host: str) -> None:
    status, text = await get(house, "/metrics", host)

    assert status == 421
    assert "dropscribe_" not in text


async def test_many_scrapes_are_one_look_at_the_ledger(house: House, clock: ManualClock) -> None:
    looks: list[str] = []

    def note(*seen: object) -> None:
        if "FROM notice" in str(seen[2]):
            looks.append(str(seen[2]))

    event.listen(house.ledger._reader, "before_cursor_execute", note)

    for _ in range(5):
        await get(house, "/metrics")
    assert len(looks) == 1
    clock.advance(FRESH)
    await get(house, "/metrics")

    assert len(looks) == 2


async def test_a_fault_of_the_world_is_no_ill_health_but_is_told(house: House) -> None:
    assert await get(house, "/healthz") == (200, "ok\n")

    await house.scopes.report(OutOfOrder("folder:/srv/private", "FolderMissing", "gone"))

    assert await get(house, "/healthz") == (200, "ok; waiting for: folder\n")


async def test_a_loop_or_a_ledger_that_is_stuck_is(house: House, clock: ManualClock) -> None:
    clock.advance(31.0)

    status, text = await get(house, "/healthz")

    assert status == 503
    assert text.startswith("not well: the event loop")


async def test_a_ledger_that_cannot_be_written_is_at_once(house: House) -> None:
    house.scopes.note(Scope("ledger", "LedgerTrouble", "disk full", "free space", 0.0, 0.0))

    status, text = await get(house, "/healthz")

    assert (status, text) == (503, "not well: the ledger cannot be written; see to the disk of the state folder\n")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A state folder on a disk of its own, in the folder that is given."""
    state = tmp_path / "state"
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(state)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "-l", str(state)], check=True, capture_output=True)


async def test_a_full_disk_of_the_state_folder_is_told_though_nobody_writes(small: Path, clock: ManualClock) -> None:
    settings = MetricsSettings(free_port())
    with furnished(small, clock, metrics=settings) as house, ThreadPoolExecutor(1) as threads:
        room = os.statvfs(house.settings.state)
        (house.settings.state / "filling").write_bytes(bytes(room.f_bavail * room.f_frsize))
        serving = asyncio.create_task(Metrics(house, threads, list).run())
        await until_served(house)
        await until_unwell(house)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_a_room_that_has_ended_is(house: House) -> None:
    ended.append("upload")
    try:
        assert (await get(house, "/healthz"))[0] == 503
    finally:
        ended.clear()


async def test_a_port_that_is_taken_ends_nothing_and_is_said_once(tmp_path: Path, clock: ManualClock) -> None:
    with socket.socket() as other, ThreadPoolExecutor(1) as threads:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        with furnished(tmp_path, clock, metrics=MetricsSettings(port)) as house, capture_logs() as lines:
            serving = asyncio.create_task(Metrics(house, threads, list).run())
            for _ in range(3):
                await clock.advance_to_wake(30.0)
            assert not serving.done()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    assert [line["event"] for line in lines] == ["metrics.unavailable"]
