"""A disk after a cut, made real again."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from power.disk import Wreck

REMADE = b"-shm"
"""SQLite's index of its WAL: written through a mapping, made anew at the first opening after a crash."""


def rebuild(roots: Iterable[Path], wreck: Wreck) -> None:
    """Let these folders hold what is left and nothing else. Files that were never written to keep their inodes."""
    for entry in (entry for root in roots for entry in root.iterdir()):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for folder in wreck.folders:
        os.mkdir(folder, 0o700)
    for path, remains in wreck.files.items():
        if remains.file.origin is not None:
            os.link(remains.file.origin, path)
        elif not path.endswith(REMADE):
            Path(os.fsdecode(path)).write_bytes(remains.content)
