"""The watchdog is fed while loop, ledger and rooms move, and not longer; waiting for the world is no hang."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from clocks import FakeClock
from dropscribe.clock import Wake
from dropscribe.health import LEDGER_DEAF, ROOM_DEAF
from dropscribe.heartbeat import (
    CALL_EVERY,
    TICK,
    Heartbeat,
    status_line,
)
from dropscribe.house import House
from dropscribe.ledger import Ledger, intake, upkeep
from dropscribe.ledger.tallies import Work
from dropscribe.model import Scope
from dropscribe.scopes import Scopes
from ledger.desk import NOW, file
from receivers import Heard

LATE = LEDGER_DEAF + ROOM_DEAF


def scope(name: str, code: str = "Unreachable") -> Scope:
    return Scope(name, code, "it is away", "wait", 0.0, 0.0)


@pytest.mark.parametrize(
    ("work", "scopes", "remark", "line"),
    [
        (Work(), (), "", "idle"),
        (Work(to_upload=1), (), "", "1 file under way: 1 to upload"),
        (
            Work(to_upload=2, to_submit=3, at_service=100, to_deliver=4, tasks=1),
            (scope("storage", "AccessDenied"), scope("api")),
            "mind the gap",
            "out of order: storage (AccessDenied), api (Unreachable); 109 files under way: 2 to upload, 3 to submit, "
            "100 at the service in 1 task, 4 to deliver; mind the gap",
        ),
    ],
)
def test_the_status_line_tells_trouble_first(work: Work, scopes: tuple[Scope, ...], remark: str, line: str) -> None:
    assert status_line(work, scopes, remark) == line


class Ward:
    """A heartbeat over a real ledger and one room, beaten by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.manager, self.room = FakeClock(), Heard(), Wake()
        self.ledger, self.held = Ledger(folder), False

        async def nothing(_: object) -> None: ...

        self.scopes = Scopes(self.clock, 5.0, 300.0, nothing, nothing)
        self.house = cast(
            House,
            SimpleNamespace(ledger=self.ledger, scopes=self.scopes, clock=self.clock, settings="the configuration"),
        )
        self.rooms = {"upload": self.room}
        self.heartbeat = Heartbeat(self.house, lambda: self.rooms, self.manager)

    async def beats(self, seconds: float, live: Callable[[], None] | None = None) -> int:
        """As many beats as fall into this time; how often the watchdog was fed. `live` is what the room does."""
        before = self.manager.fed()
        for _ in range(int(seconds / TICK)):
            self.clock.advance(TICK)
            if live is not None:
                live()
            self.heartbeat.beat()
            await self._answered()
        return self.manager.fed() - before

    async def _answered(self) -> None:
        """Time for the ledger's threads, unless they are held."""
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == "heartbeat ledger"]
        if tasks and not self.held:
            await asyncio.wait(tasks)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    ward = Ward(tmp_path / "state")
    yield ward
    ward.ledger.close()


async def test_a_daemon_whose_rooms_come_round_is_fed_at_every_beat(ward: Ward) -> None:
    assert await ward.beats(LATE * 2, live=ward.room.clear) == int(LATE * 2 / TICK)


async def test_a_room_that_is_called_and_does_not_come_round_ends_the_feeding(ward: Ward) -> None:
    fed = await ward.beats(LATE * 2)
    assert ROOM_DEAF / TICK <= fed <= (ROOM_DEAF + CALL_EVERY) / TICK
    assert ward.room.is_set()


async def test_a_long_round_that_writes_facts_down_is_no_hang(ward: Ward) -> None:
    for number in range(4):
        assert await ward.beats(ROOM_DEAF / 2) == int(ROOM_DEAF / 2 / TICK)
        ward.ledger.do_now(intake.take, "talks", [file(b"%d.mp3" % number, str(number))], NOW)


async def test_a_long_round_that_comes_further_is_no_hang(ward: Ward) -> None:
    assert await ward.beats(LATE * 2, live=ward.room.moved) == int(LATE * 2 / TICK)


async def test_a_room_is_judged_from_when_on_it_can_begin(ward: Ward) -> None:
    behind_a_gate = ward.rooms.pop("upload")
    assert await ward.beats(LATE * 2) == int(LATE * 2 / TICK)

    ward.rooms["upload"] = behind_a_gate

    assert ROOM_DEAF / TICK <= await ward.beats(LATE * 2) <= (ROOM_DEAF + CALL_EVERY) / TICK + 1


async def test_a_ledger_that_does_not_answer_ends_the_feeding_unless_its_disk_is_known_to_refuse(ward: Ward) -> None:
    gate = threading.Event()
    ward.held = True
    held = asyncio.ensure_future(ward.ledger.do(lambda _: gate.wait(30)))
    try:
        fed = await ward.beats(LEDGER_DEAF * 3, live=ward.room.clear)
        assert fed == LEDGER_DEAF / TICK + 1
        ward.scopes.note(scope("ledger"))
        assert await ward.beats(LEDGER_DEAF, live=ward.room.clear) == LEDGER_DEAF / TICK
    finally:
        gate.set()
        await held


async def up(ward: Ward) -> None:
    """As if the daemon had started, with nothing said so far."""
    running = asyncio.create_task(ward.heartbeat.run())
    await asyncio.sleep(0)
    assert ward.manager.lines[0] == "READY=1"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ward.manager.lines.clear()


async def test_a_reload_before_the_start_is_over_does_not_say_ready(ward: Ward) -> None:
    reloaded: list[str] = []
    ward.heartbeat.around(lambda: reloaded.append("once"))()
    assert (reloaded, ward.manager.lines) == (["once"], [])


async def test_a_reload_is_told_with_its_begin_and_its_end(ward: Ward) -> None:
    def reload() -> None:
        ward.manager.lines.append("reloaded")
        ward.house.settings = "another"  # type: ignore[assignment]

    await up(ward)
    ward.heartbeat.around(reload)()
    assert [line.split("=")[0] for line in ward.manager.lines] == [
        "RELOADING", "MONOTONIC_USEC", "reloaded", "READY", "STATUS",
    ]  # fmt: skip
    assert ward.manager.lines[-1] == "STATUS=idle"


async def test_a_reload_that_was_refused_stays_in_the_status_line(ward: Ward) -> None:
    await up(ward)
    ward.heartbeat.around(lambda: None)()
    assert ward.manager.lines[-1] == "STATUS=idle; the last reload was refused, the log says why"


async def test_the_question_to_the_ledger_writes_nothing(ward: Ward) -> None:
    ward.ledger.do_now(upkeep.write_meta, "x", "y")
    before = (ward.ledger.state / "ledger.sqlite-wal").stat().st_size
    await ward.beats(100, live=ward.room.clear)
    assert (ward.ledger.state / "ledger.sqlite-wal").stat().st_size == before
