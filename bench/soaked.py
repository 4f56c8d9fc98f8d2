"""A daemon whose clock runs faster than the machine's: `python -m bench.soaked CONFIG SPEED BEGAN EPOCH`.

At `BEGAN` of the machine's monotonic clock, which all processes share, it was `EPOCH`. SIGTERM ends it.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from dropscribe import logs
from dropscribe.config import load
from dropscribe.remote.oss import OssStore
from dropscribe.service import Service


class FastClock:
    """`speed` seconds pass in each real one."""

    def __init__(self, speed: float, began: float, epoch: float) -> None:
        self.speed, self._began, self._epoch = speed, began, epoch

    def now(self) -> float:
        return self._epoch + self.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self.speed

    def boottime(self) -> float:
        return self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)


async def _live(config: Path, clock: FastClock) -> None:
    settings = load(config, os.environ)
    logs.set_up("json", sys.stderr, now=clock.now)
    store = OssStore(settings.storage, sleep=lambda seconds: time.sleep(seconds / clock.speed))
    await Service(settings, clock=clock, store=store, reread=lambda: load(config, os.environ)).run()


if __name__ == "__main__":
    asyncio.run(_live(Path(sys.argv[1]), FastClock(*map(float, sys.argv[2:5]))))
