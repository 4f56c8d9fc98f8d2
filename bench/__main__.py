"""Measurements against the sandbox, each beside a yardstick of the same run: all of them, or those that are named."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import backlog, beside, idle, large_file, latency, plain_loop, small_files, soak, start
from bench.report import Row, say_json, show, show_aims
from bench.sizes import Sizes, add_options, chosen

BENCHES: dict[str, tuple[Callable[[Path, Sizes], list[dict[str, object]]], str | None]] = {
    "small-files": (small_files.measure, small_files.__doc__),
    "plain-loop": (plain_loop.measure, plain_loop.__doc__),
    "large-file": (large_file.measure, large_file.__doc__),
    "latency": (latency.measure, latency.__doc__),
    "idle": (idle.measure, idle.__doc__),
    "start": (start.measure, start.__doc__),
    "backlog": (backlog.measure, backlog.__doc__),
    "beside": (beside.measure, beside.__doc__),
    "soak": (soak.measure, soak.__doc__),
}
SUBTITLES = "subtitles"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [*BENCHES, SUBTITLES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)} (default: all)")
    add_options(parser)
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(names)}")
    wanted, sizes = options.names or names, chosen(options)
    found = {name: _measure(name, sizes) for name in BENCHES if name in wanted}
    if SUBTITLES in wanted:
        quick = ["--speed", "0"] if options.quick else []
        subprocess.run([sys.executable, "-m", "bench.subtitles", *quick], check=True)
    if found and not options.quick:
        show_aims(found)


def _measure(name: str, sizes: Sizes) -> list[Row]:
    measure, about = BENCHES[name]
    with tempfile.TemporaryDirectory(prefix="dropscribe-bench-") as folder:
        rows: list[Row] = list(measure(Path(folder), sizes))
    show(f"{name}: {' '.join((about or '').split())}", rows)
    say_json(name, rows)
    return rows


if __name__ == "__main__":
    main()
