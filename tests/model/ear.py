"""Whoever is told by a webhook, and what was told and taken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from receivers import Receiver, receiving


@dataclass
class Ear:
    """Answers 503 until `deaf_until`; what it answered with 204 it has taken."""

    receiver: Receiver
    deaf_until: float = 0.0
    _taken: list[int] = field(default_factory=list)

    def items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(event, item) in the order in which they were taken; one that came twice comes twice."""
        for number in self._taken:
            message = self.receiver.calls[number - 1].message
            yield from ((message["event"], item) for item in message["items"])

    def told(self, event: str) -> list[dict[str, Any]]:
        return [item for kind, item in self.items() if kind == event]

    def answers(self, number: int, now: float) -> int:
        if now < self.deaf_until:
            return 503
        self._taken.append(number)
        return 204


@contextmanager
def listening(now: Callable[[], float]) -> Iterator[Ear]:
    with receiving() as receiver:
        ear = Ear(receiver)
        receiver.answers = lambda number: ear.answers(number, now())
        yield ear
