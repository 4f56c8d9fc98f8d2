"""The sandbox's own time: the machine's, shifted and stretched on request."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate

SHANGHAI = timezone(timedelta(hours=8))


class SandboxClock:
    """Seconds since the epoch that can be advanced; those who wait on it notice. Belongs to one event loop."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._mark_real = time.monotonic()
        self._mark = time.time()
        self._changed = asyncio.Event()
        self._http_date = (0, "")
        self._awaited: list[float] = []

    def now(self) -> float:
        """Seconds since the epoch, on this clock."""
        return self._mark + (time.monotonic() - self._mark_real) * self._speed

    def advance(self, seconds: float) -> None:
        """Jump; negative is the past (a server whose clock was set back)."""
        self._rebase(self.now() + seconds, self._speed)

    def run_at(self, speed: float) -> None:
        """From now on `speed` seconds pass here in each real one."""
        self._rebase(self.now(), speed)

    def _rebase(self, now: float, speed: float) -> None:
        self._mark, self._mark_real, self._speed = now, time.monotonic(), speed
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_until(self, moment: float) -> None:
        """Return when this clock shows `moment`, also when it is moved meanwhile."""
        self._awaited.append(moment)
        try:
            while (left := moment - self.now()) > 0:
                changed = self._changed
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left / self._speed):
                        await changed.wait()
        finally:
            self._awaited.remove(moment)

    def until_next(self) -> float | None:
        """Seconds until somebody's wait is over; None where nobody waits. Safe from any thread."""
        moments = tuple(self._awaited)
        return max(0.0, min(moments) - self.now()) if moments else None

    async def sleep(self, seconds: float) -> None:
        """Wait on this clock."""
        await self.wait_until(self.now() + seconds)

    def http_date(self) -> str:
        """The time for a `Date` header."""
        second = int(self.now())
        if self._http_date[0] != second:
            self._http_date = (second, formatdate(second, usegmt=True))
        return self._http_date[1]


def shanghai_text(moment: float) -> str:
    """`YYYY-MM-DD HH:MM:SS.mmm` as Model Studio writes times: Asia/Shanghai, without saying so."""
    return datetime.fromtimestamp(moment, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def iso_text(moment: float) -> str:
    """`YYYY-MM-DDTHH:MM:SS.000Z` as OSS writes times in XML."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
