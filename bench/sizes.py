"""How much each measurement works on: the full size, and a quick one that proves in seconds that it still runs."""

import argparse
from dataclasses import dataclass, field, fields


def _size(full: int, quick: int, what: str) -> int:
    size: int = field(default=full, metadata={"quick": quick, "what": what})
    return size


@dataclass(frozen=True)
class Sizes:
    """Every field is an option of `python -m bench`."""

    files: int = _size(10_000, 60, "small files")
    bytes: int = _size(4096, 4096, "bytes of each small file")
    uploads: int = _size(4, 4, "storage.uploads")
    large_mb: int = _size(2000, 120, "MB of the large file")
    drops: int = _size(30, 2, "files dropped one by one for the latency")
    remembered: int = _size(100_000, 500, "files in the library of the idle daemon")
    idle_seconds: int = _size(60, 2, "seconds that it is watched")
    backlog: int = _size(20_000, 200, "files of the backlog; the aim speaks of 100000")
    rows: int = _size(1_000_000, 2_000, "files that the ledger remembers at the start")
    starts: int = _size(5, 1, "starts of each kind, of which the fastest counts")
    loop_files: int = _size(20, 2, "files of the plain loop, which takes seconds for each")
    soak_hours: int = _size(24, 1, "hours of the simulated life")
    soak_speed: int = _size(100, 300, "seconds of it in a real one")
    soak_files: int = _size(3_000, 40, "files dropped in it")
    loop_ours: int = _size(2_000, 60, "files of ours beside the plain loop")


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--quick`, and one option a field."""
    parser.add_argument("--quick", action="store_true", help="sizes of seconds: whether it runs, not how fast")
    for one in fields(Sizes):
        what = f"{one.metadata['what']} (default: {one.default})"
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=int, metavar="N", help=what)


def chosen(options: argparse.Namespace) -> Sizes:
    """The sizes that were asked for."""
    asked = {one.name: getattr(options, one.name) for one in fields(Sizes)}
    quick = {one.name: one.metadata["quick"] for one in fields(Sizes)} if options.quick else {}
    return Sizes(**quick | {name: value for name, value in asked.items() if value is not None})
