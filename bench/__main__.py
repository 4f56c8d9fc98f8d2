"""`make bench`: whole-process measurements against the sandbox, each beside a yardstick of the same run."""

import argparse
import json
import tempfile
from pathlib import Path

from bench import small_files


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="small files (default: %(default)s)")
    parser.add_argument("--size", type=int, default=4096, help="bytes of each (default: %(default)s)")
    parser.add_argument("--uploads", type=int, default=4, help="storage.uploads (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dropscribe-bench-") as folder:
        measured = small_files.measure(Path(folder), options.files, options.size, options.uploads)
    for name, value in measured.items():
        print(f"{name:32} {value}")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
