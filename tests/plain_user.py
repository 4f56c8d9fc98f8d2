"""A folder in which the test is an ordinary user, because root may read everything."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def plain_user_folder() -> Iterator[Path]:
    """A fresh folder that everybody may write to; within the block root has given up its powers."""
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-test-"))
    folder.chmod(0o777)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        os.seteuid(user)
        for closed in folder.rglob("*"):
            closed.chmod(0o700)
        shutil.rmtree(folder)
