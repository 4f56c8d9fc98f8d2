"""The time to READY with a ledger that remembers very many files, beside an empty one in the same run."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.processes import configure, daemon, sandbox
from bench.remembering import imagined, remember
from bench.sizes import Sizes


@dataclass(frozen=True)
class Start:
    """Seconds to READY; processor seconds to READY and to the first rest; memory."""

    seconds: float
    cpu: float
    cpu_at_rest: float
    peak_mb: float


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """Seconds from the start of the process to READY=1, as the service manager hears it; the fastest of some, since
    whatever else the machine does can only add; the processor's time until then."""
    rows = []
    for variant, files in (("empty ledger", 0), ("full ledger", sizes.rows)):
        here = folder / variant.split()[0]
        (here / "inbox").mkdir(parents=True)
        remember(here / "state", "sandbox", here / "outbox", imagined(files), files)
        with sandbox(here) as config:
            configure(here, config)
            starts = [_start(here) for _ in range(sizes.starts)]
        ledger = (here / "state" / "ledger.sqlite").stat().st_size
        rows.append(
            {
                "variant": variant,
                "files remembered": files,
                "ledger MB": round(ledger / 10**6, 1),
                "s to READY": round(min(one.seconds for one in starts), 2),
                "CPU s to READY": round(median(one.cpu for one in starts), 2),
                "CPU s until it rests": round(median(one.cpu_at_rest for one in starts), 2),
                "peak MB": round(max(one.peak_mb for one in starts), 1),
            }
        )
    rows[1]["s to READY beyond the empty one"] = round(rows[1]["s to READY"] - rows[0]["s to READY"], 2)
    return rows


def _start(folder: Path) -> Start:
    with daemon(folder) as running:
        cpu = running.cpu()
        running.quiet(60)
        return Start(running.ready_after, cpu, running.cpu(), running.peak_mb())
