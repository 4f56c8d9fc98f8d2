"""The one corner that knows that the ledger is a SQLite file: how it is opened, how it tells of a disk in trouble."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from dropscribe.errors import Misconfigured, Problem

OLDEST = (3, 35, 0)  # RETURNING
APPLICATION_ID = 0x64726F70  # "drop": `file ledger.sqlite` and we ourselves can tell it from any other database

_DISK_TROUBLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
                           sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})  # fmt: skip


def writer_engine(path: Path) -> Engine:
    """The one write connection, used by the ledger thread only.

    Raises:
        Misconfigured: SQLite is too old, or the file is not a ledger of ours.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        need = ".".join(map(str, OLDEST))
        raise Misconfigured([Problem("state", None, f"SQLite {sqlite3.sqlite_version} is too old; {need} is needed")])
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        hide_parameters=True,  # results and file names do not belong into a traceback
    )
    place = _Place(path)
    event.listen(engine, "connect", _prepare_writer)
    event.listen(engine, "connect", place.remember)
    event.listen(engine, "begin", place.insist)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


class Moved(Exception):
    """The ledger's file is not where it was opened: what is written now would be gone at the next start."""


class _Place:
    """Where the file lies. SQLite itself goes on writing into one that was deleted: with a WAL it does not look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None

    def remember(self, *_: object) -> None:
        with contextlib.suppress(FileNotFoundError):  # one in memory (tests) lies nowhere
            found = os.stat(self._path)
            self._file = (found.st_dev, found.st_ino)

    def insist(self, *_: object) -> None:
        if self._file is None:
            return
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise Moved(f"{self._path} cannot be found any more ({error.strerror}); bring it back") from error
        if (found.st_dev, found.st_ino) != self._file:
            raise Moved(f"another file stands at {self._path}; bring the old one back, or restart dropscribe")


def reader_engine(path: Path) -> Engine:
    """Read-only connections for `status` and for scans; WAL readers never hold up the writer."""
    engine = create_engine(
        "sqlite://",
        poolclass=QueuePool,
        pool_size=8,
        creator=lambda: sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10, check_same_thread=False
        ),
    )
    event.listen(engine, "connect", _prepare_reader)
    # One look is one moment, however many statements it takes.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def is_disk_trouble(error: BaseException) -> bool:
    """True for a full, failing, missing or read-only disk and for a lock held by a backup tool: worth another try."""
    if isinstance(error, Moved):
        return True
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _DISK_TROUBLE


def _prepare_writer(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event speaks, not the driver
    _refuse_foreign_file(connection)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON",
                   f"application_id={APPLICATION_ID}", "journal_size_limit=67108864"):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _refuse_foreign_file(connection: Any) -> None:
    try:
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        raise _foreign("not a database") from error
    if found != APPLICATION_ID and not empty:
        raise _foreign("another program's database")


def _foreign(what: str) -> Misconfigured:
    advice = "move it away, or name another folder as `state`"
    return Misconfigured([Problem("state", None, f"ledger.sqlite in the state folder is {what}; {advice}")])


def _prepare_reader(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")
