"""Claims of files that go up together are never lost."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from dropscribe.ledger import intake
from dropscribe.upload import Uploader
from houses import furnished
from ledger.desk import file


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
async def test_files_of_a_group_that_no_thread_could_take_are_put_back(tmp_path: Path) -> None:
    """A machine may have no thread left for a moment."""
    none_left = ThreadPoolExecutor(1)
    none_left.shutdown()
    with furnished(tmp_path) as house:
        await house.ledger.do(intake.take, "talks", [file(b"%d.mp3" % n, str(n)) for n in range(3)], 0.0)
        nobody = cast(Any, lambda *_: None)
        uploader = Uploader(house, none_left, nobody, nobody, nobody, nobody)
        running = asyncio.create_task(uploader.run())
        for _ in range(200):
            waiting = await house.ledger.look(resting, house.clock.now())
            if waiting == 3:
                break
            await asyncio.sleep(0.01)
        running.cancel()
    assert waiting == 3


def resting(connection: Connection, now: float) -> int:
    """How many wait for another try."""
    query = "SELECT count(*) FROM recognition WHERE state = 'needed' AND wait_until > ?"
    return int(connection.exec_driver_sql(query, (now,)).scalar_one())
