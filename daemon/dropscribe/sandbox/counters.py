"""How often each call came, what it was answered, how fast they came; and the windows of the rate limits."""

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class SlidingWindow:
    """At most `limit` events in any `seconds` of real time."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._moments: deque[float] = deque()

    def admits(self, limit: int) -> bool:
        """Count one event if it fits; refused ones do not count."""
        self._forget()
        if len(self._moments) >= limit:
            return False
        self._moments.append(self._monotonic())
        return True

    def count(self) -> int:
        """Add one event, whatever the limit; return how many the window holds."""
        self._forget()
        self._moments.append(self._monotonic())
        return len(self._moments)

    def _forget(self) -> None:
        horizon = self._monotonic() - self._seconds
        while self._moments and self._moments[0] <= horizon:
            self._moments.popleft()


@dataclass(slots=True)
class _CallCount:
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    arrived: int = 0
    largest_rate: int = 0
    window: SlidingWindow = field(default_factory=lambda: SlidingWindow(1.0))


class Counters:
    """For each call: `count`, `statuses`, `unanswered` (dropped, hung), `throttled`, `largest_rate` (in one second)."""

    def __init__(self) -> None:
        self._calls: dict[str, _CallCount] = {}
        self.moments = 0
        """How often a call came or ended."""
        self.open = 0
        """Calls that came and have not ended."""

    def arrived(self, call: str) -> None:
        self.moments += 1
        self.open += 1
        count = self._calls.setdefault(call, _CallCount())
        count.arrived += 1
        count.largest_rate = max(count.largest_rate, count.window.count())

    def answered(self, call: str, status: int | None) -> None:
        """`status` is None for a caller that was left without an answer."""
        self.moments += 1
        self.open -= 1
        count = self._calls.setdefault(call, _CallCount())
        if status is None:
            count.unanswered += 1
        else:
            count.statuses[status] += 1

    def arrivals(self, call: str) -> int:
        """How often it came, answered or not."""
        count = self._calls.get(call)
        return count.arrived if count else 0

    def as_json(self) -> dict[str, dict[str, Any]]:
        return {
            call: {
                "count": sum(c.statuses.values()) + c.unanswered,
                "statuses": {str(status): n for status, n in sorted(c.statuses.items())},
                "unanswered": c.unanswered,
                "throttled": c.statuses[429],
                "largest_rate": c.largest_rate,
            }
            for call, c in sorted(self._calls.items())
        }
