"""The ledger file opened read-only by a command, beside a running daemon or without one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dropscribe.errors import DropscribeError
from dropscribe.ledger import LEDGER_FILE
from dropscribe.ledger.migrations import VERSION
from dropscribe.ledger.sqlite import reader_engine
from dropscribe.ledger.upkeep import read_meta


class Unreadable(DropscribeError):
    """There is a ledger, and it cannot be read."""


@contextmanager
def reading(state: Path) -> Iterator[Connection | None]:
    """The ledger of a state folder as it is at one moment; None where there is none yet. Nothing is created.

    Raises Unreadable.
    """
    path = state / LEDGER_FILE
    if not _stands(path):
        yield None
        return
    engine = reader_engine(path)
    try:
        with engine.connect() as connection:
            _expect_our_version(connection, path)
            yield connection
    except DBAPIError as error:
        raise _unreadable(path, str(error.orig)) from error
    finally:
        engine.dispose()


def _stands(path: Path) -> bool:
    try:
        os.stat(path)  # Path.exists() hides, since Python 3.14, that a folder may not be entered
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return True


def _expect_our_version(connection: Connection, path: Path) -> None:
    version = read_meta(connection, "schema_version")
    if version is None:
        raise _unreadable(path, "it was never finished")
    if int(version) != VERSION:
        what = f"it has schema {version}, this dropscribe knows {VERSION}"
        remedy = "upgrade dropscribe" if int(version) > VERSION else "start the daemon once, which brings it up to date"
        raise Unreadable(f"the ledger {path} cannot be read: {what}; {remedy}")


def _unreadable(path: Path, why: str) -> Unreadable:
    remedy = "use the user that the daemon runs as, and see that the disk is there and writable"
    if "not a database" in why or "malformed" in why:
        remedy = (
            "stop the daemon and restore a backup of it; without one, move it away: what was paid is forgotten then"
        )
    return Unreadable(f"the ledger {path} cannot be read: {why}; {remedy}")
