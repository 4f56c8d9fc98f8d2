"""`make bench`: whole-process measurements against the sandbox, each beside a yardstick of the same run."""

import argparse
import json
import tempfile
from pathlib import Path

from bench import beside, small_files


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="small files (default: %(default)s)")
    parser.add_argument("--size", type=int, default=4096, help="bytes of each (default: %(default)s)")
    parser.add_argument("--uploads", type=int, default=4, help="storage.uploads (default: %(default)s)")
    parser.add_argument("--beside", action="store_true", help="notices and limits instead, beside a plain run")
    options = parser.parse_args()
    if options.beside:
        _beside(options.files, options.size)
        return
    with tempfile.TemporaryDirectory(prefix="dropscribe-bench-") as folder:
        measured = small_files.measure(Path(folder), options.files, options.size, options.uploads)
    for name, value in measured.items():
        print(f"{name:32} {value}")
    print(json.dumps(measured))


def _beside(files: int, size: int) -> None:
    with tempfile.TemporaryDirectory(prefix="dropscribe-bench-") as folder:
        rows = beside.measure(Path(folder), files, size)
    for row in rows:
        print("  ".join(f"{name} {value}" if name != "variant" else f"{value:20}" for name, value in row.items()))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
