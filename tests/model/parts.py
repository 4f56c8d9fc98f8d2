"""The parts of large files on their way: how often each arrived, overheard at the sandbox's door."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from dropscribe.sandbox import overheard
from dropscribe.sandbox.overheard import Exchange


@dataclass
class Parts:
    """Of every object's key and every upload. An arrival whose answer was lost counts: `lost` says how many."""

    begun: Counter[str] = field(default_factory=Counter)
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """By key and by upload."""

    def hear(self, exchange: Exchange) -> None:
        was_lost = "lost" in exchange.faults
        if exchange.call not in ("initiate", "part") or not (exchange.status == 200 or was_lost):
            return
        target = urlsplit(exchange.target)
        query = parse_qs(target.query)
        if exchange.call == "initiate":
            self.begun[target.path] += 1
            self.lost[target.path] += was_lost
        else:
            upload = query["uploadId"][0]
            self.arrived[upload, query["partNumber"][0]] += 1
            self.lost[upload] += was_lost


@contextmanager
def counted_parts() -> Iterator[Parts]:
    """Whoever listens already is told as before."""
    parts = Parts()
    before = overheard.observe(None)

    def hear(exchange: Exchange) -> None:
        if before is not None:
            before(exchange)
        parts.hear(exchange)

    overheard.observe(hear)
    try:
        yield parts
    finally:
        overheard.observe(before)
