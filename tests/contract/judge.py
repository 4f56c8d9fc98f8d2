"""Who holds every exchange of a test against the rules."""

import json
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from contract import answered, general, storage, studio  # noqa: F401 - their rules register themselves
from contract.asked import Asked, asked
from contract.rules import ANSWERS, REQUESTS, Breach, of_request
from dropscribe.sandbox.overheard import Exchange


@of_request("R2", ["result"])
def results_are_fetched_where_they_were_said_to_be(_asked: Asked) -> Iterator[str]:
    """Needs to know what was answered before: see `Judge`."""
    return iter(())


class Judge:
    """Told of exchanges in any thread, in the order in which they end. `allowed` names rules that may be broken."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.exchanges: list[Exchange] = []
        self.breaches: list[Breach] = []
        self._allowed = frozenset(allowed)
        self._results: set[str] = set()
        self._lock = Lock()

    def hear(self, exchange: Exchange) -> None:
        request = asked(exchange)
        found = [*_of_request(request), *_of_answer(request, exchange)]
        with self._lock:
            self.exchanges.append(exchange)
            if request.call == "result" and exchange.target not in self._results:
                found.append(Breach("R2", "result", "no answer has named this address"))
            if request.call == "query":
                self._results |= set(_addresses(exchange.answer))
            self.breaches += [breach for breach in found if breach.rule not in self._allowed]

    def assert_nothing_was_broken(self) -> None:
        lines = list(dict.fromkeys(str(breach) for breach in self.breaches))
        assert not lines, "against docs/protocol.md:\n" + "\n".join(lines)


def _of_request(request: Asked) -> Iterator[Breach]:
    for name, (calls, rule) in REQUESTS.items():
        if calls is None or request.call in calls:
            yield from (Breach(name, request.call, how) for how in rule(request))


def _of_answer(request: Asked, exchange: Exchange) -> Iterator[Breach]:
    if exchange.status is None or not request.call or answered.SPOILT & set(exchange.faults):
        return
    for name, (calls, rule) in ANSWERS.items():
        if calls is None or request.call in calls:
            yield from (Breach(name, request.call, how) for how in rule(request, exchange))


def _addresses(answer: bytes | None) -> Iterator[str]:
    """Path and query of every result that an answer names."""
    try:
        body: Any = json.loads(answer or b"{}")
    except ValueError:
        return
    output = body.get("output", body)
    for row in [*output.get("results", []), output.get("result", {})]:
        if url := row.get("transcription_url"):
            parts = urlsplit(url)
            yield f"{parts.path}?{parts.query}"
