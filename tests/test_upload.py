"""Claims of files that go up together are never lost; a large one goes in parts of a size that fits it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from clocks import ManualClock
from dropscribe.carry import part_size
from dropscribe.ledger import intake
from dropscribe.upload import Uploader
from houses import furnished
from ledger.desk import file


class Bell(ManualClock):
    """Tells when somebody sleeps for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.set()
        await super().sleep(seconds)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
async def test_files_of_a_group_that_no_thread_could_take_are_put_back(tmp_path: Path) -> None:
    """A machine may have no thread left for a moment."""
    none_left = ThreadPoolExecutor(1)
    none_left.shutdown()
    clock = Bell()
    with furnished(tmp_path, clock) as house:
        await house.ledger.do(intake.take, "talks", [file(b"%d.mp3" % n, str(n)) for n in range(3)], 0.0)
        nobody = cast(Any, lambda *_: None)
        uploader = Uploader(house, none_left, nobody, nobody, nobody, nobody)
        running = asyncio.create_task(uploader.run())
        async with asyncio.timeout(30):
            await clock.asked.wait()  # there is nothing left to do but to wait
        waiting = await house.ledger.look(resting, clock.now())
        running.cancel()
    assert waiting == 3


def resting(connection: Connection, now: float) -> int:
    """How many wait for another try."""
    query = "SELECT count(*) FROM recognition WHERE state = 'needed' AND wait_until > ?"
    return int(connection.exec_driver_sql(query, (now,)).scalar_one())


@pytest.mark.parametrize("megabytes", [1, 100, 1000, 2048])
def test_a_large_file_goes_in_parts_of_at_least_8_mb_and_in_128_at_most(megabytes: int) -> None:
    size = megabytes * 1024 * 1024 + 1

    assert part_size(size) >= 8 * 1024 * 1024
    assert -(-size // part_size(size)) <= 128
