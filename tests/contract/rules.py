"""Rules by their names in docs/protocol.md; each is a function from what was said to what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from contract.asked import Asked
from dropscribe.sandbox.overheard import Exchange


@dataclass(frozen=True)
class Breach:
    """A rule that an exchange breaks, and how."""

    rule: str
    call: str
    how: str

    def __str__(self) -> str:
        return f"{self.rule} ({self.call or 'unknown call'}): {self.how}"


OfRequest = Callable[[Asked], Iterator[str]]
OfAnswer = Callable[[Asked, Exchange], Iterator[str]]
REQUESTS: dict[str, tuple[frozenset[str] | None, OfRequest]] = {}
ANSWERS: dict[str, tuple[frozenset[str] | None, OfAnswer]] = {}


def of_request(name: str, calls: Iterable[str] | None = None) -> Callable[[OfRequest], OfRequest]:
    """A rule for the requests of these calls (None: of all)."""

    def register(rule: OfRequest) -> OfRequest:
        assert name not in REQUESTS, f"two rules are called {name}"
        REQUESTS[name] = (None if calls is None else frozenset(calls), rule)
        return rule

    return register


def of_answer(name: str, calls: Iterable[str] | None = None) -> Callable[[OfAnswer], OfAnswer]:
    """A rule for the answers to these calls (None: to all)."""

    def register(rule: OfAnswer) -> OfAnswer:
        assert name not in ANSWERS, f"two rules are called {name}"
        ANSWERS[name] = (None if calls is None else frozenset(calls), rule)
        return rule

    return register
