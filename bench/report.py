"""What was measured, as a table for people and as JSON lines for programs; and how it stands against the aims."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Aim:
    """A figure of a measurement, and the bound that it is to keep."""

    bench: str
    figure: str
    bound: float
    least: bool = False
    """Whether the bound is the least that will do, and not the most."""
    variant: str | None = None
    """The one row that is judged; None: each that has the figure."""

    def met(self, value: float) -> bool:
        return value >= self.bound if self.least else value <= self.bound


AIMS = (
    Aim("small-files", "files/s", 400, least=True),
    Aim("small-files", "CPU ms beyond the upload", 1.0),
    Aim("small-files", "submits for 10,000 files", 100),
    Aim("small-files", "queries for 10,000 files", 300),
    Aim("large-file", "upload as a share of raw", 0.9, least=True),
    Aim("latency", "median ms", 150),
    Aim("idle", "CPU % with its share of a rescan", 0.3, variant="library"),
    Aim("idle", "RSS MB", 120, variant="library"),
    Aim("backlog", "peak MB", 150),
    Aim("backlog", "peak MB / of a quarter", 1.1),
    Aim("start", "s to READY", 1.0, variant="full ledger"),
    Aim("soak", "MB / of the second quarter", 1.1),
    Aim("soak", "threads / of the second quarter", 1.1),
    Aim("soak", "descriptors / of the second quarter", 1.1),
    Aim("soak", "neither", 0),
    Aim("soak", "billed more often than the log explains", 0),
    Aim("soak", "left in the bucket", 0),
    Aim("plain-loop", "times the loop", 50, least=True),
)


def show(title: str, rows: Sequence[Row]) -> None:
    """One measurement: a row of names and values where there is one, else a table with a column a row."""
    print(f"\n{title}")
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[name, *(str(row.get(name, "")) for row in rows)] for name in names]
    widths = [max(len(line[column]) for line in cells) for column in range(len(rows) + 1)]
    for line in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def say_json(bench: str, rows: Iterable[Row]) -> None:
    for row in rows:
        print(json.dumps({"bench": bench, **row}), flush=True)


def show_aims(found: Mapping[str, Sequence[Row]]) -> None:
    """Each aim of what was measured. Where several rows have the figure, each is judged."""
    print("\nagainst the aims")
    for aim in AIMS:
        for row in found.get(aim.bench, ()):
            if aim.figure in row and aim.variant in (None, row.get("variant")):
                wanted = f"{'at least' if aim.least else 'at most'} {aim.bound:g}"
                verdict = "met" if aim.met(row[aim.figure]) else "NOT met"
                which = f" ({row['variant']})" if "variant" in row else ""
                print(f"  {verdict:8} {aim.bench}{which}: {aim.figure} {row[aim.figure]}, {wanted}")
