"""The memory of the house: every fact, durable before the next step begins.

All SQL of the program stands in this package, as functions of a connection, one module a room of the flow; `Ledger`
runs them: `await ledger.do(uploads.claim, ...)` in the one ledger thread, grouped, answered after the commit;
`await ledger.look(...)` on a read-only connection.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from dropscribe.disk.placing import sync_folder, sync_names_above
from dropscribe.errors import StateHeld
from dropscribe.ledger import upkeep
from dropscribe.ledger.migrations import migrate
from dropscribe.ledger.sqlite import is_disk_trouble, reader_engine, writer_engine
from dropscribe.ledger.writer import Writer

log = structlog.get_logger()
P = ParamSpec("P")
Value = TypeVar("Value")
Statement = Callable[Concatenate[Connection, P], Value]

LEDGER_FILE = "ledger.sqlite"
LOCK_FILE = "lock"
HOLD_TRIES, HOLD_PAUSE = 10, 0.05
AGAIN = 2.0
"""Seconds between two tries to open a ledger whose disk is full or failing."""
LOOK_AGAIN = 0.5
TOO_LITTLE = 256 * 1024
"""Bytes; with less on its disk the ledger soon cannot be written."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
REMEDY = "free space on the disk of the state folder (or its quota), or mend it; nothing is lost, everything waits"


class Ledger:
    """An open ledger, held by this process alone."""

    def __init__(
        self,
        state: Path,
        on_trouble: Callable[[BaseException | None], None] = lambda error: None,
        patience: float = 0.0,
    ) -> None:
        """Open or create the ledger in `state` (made 0700), upgrade it, and make dead claims free again.

        A disk that is full or failing is tried again for `patience` seconds; this blocks.

        Raises:
            StateHeld: another process holds this state folder.
            Misconfigured: a newer ledger, a foreign file, a SQLite that is too old.
            OSError: the folder cannot be made or written, or its disk is still in trouble.
        """
        self.state = state
        self._closing = threading.Event()
        _insist(state, patience, self._open)
        self._reader = reader_engine(state / LEDGER_FILE)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="ledger-read")
        self._writer = Writer(self._engine, on_trouble)

    def _open(self) -> None:
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _hold(self.state)
        try:
            _keep_private(self.state / LEDGER_FILE)
            self._engine = writer_engine(self.state / LEDGER_FILE)
            self._begin()
        except BaseException:
            os.close(self._lock)
            raise

    def _begin(self) -> None:
        try:
            with self._engine.begin() as connection:
                migrate(connection)
                self.id = upkeep.ledger_id(connection, secrets.token_hex(6))
                self.epoch = upkeep.begin_epoch(connection)
            sync_folder(self.state)  # SQLite syncs its files, not every name that leads to them
            sync_names_above(self.state)
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def waiting(self) -> int:
        """Writes that were asked for and are not durable yet."""
        return self._writer.waiting

    async def do(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """Run a statement in the ledger thread; return its value once it is durable."""
        return await self._writer.run(lambda connection: statement(connection, *args, **kwargs))

    async def look(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """Run a reading statement beside the writer; while the disk refuses, it waits."""
        call = partial(self._look_once, statement, *args, **kwargs)
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._reading, call)
            except DBAPIError as error:
                if not _passes(error):
                    raise
            await asyncio.sleep(LOOK_AGAIN)

    def look_now(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """The same for callers that are in a thread of their own."""
        while True:
            try:
                return self._look_once(statement, *args, **kwargs)
            except DBAPIError as error:
                if not _passes(error) or self._closing.wait(LOOK_AGAIN):
                    raise

    def _look_once(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        with self._reader.connect() as connection:
            return statement(connection, *args, **kwargs)

    def do_now(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """`do` for a thread other than the loop's and the ledger's own."""
        return self._writer.run_now(lambda connection: statement(connection, *args, **kwargs))

    def close(self) -> None:
        """Commit what waits, close the file, let the state folder go."""
        self._closing.set()
        self._writer.close()
        self._reading.shutdown()
        self._reader.dispose()
        self._engine.dispose()
        os.close(self._lock)


def _passes(error: DBAPIError) -> bool:
    """Whether a look is worth repeating: not one that tried to write, which is a bug."""
    return is_disk_trouble(error) and getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY


def _insist(state: Path, patience: float, opening: Callable[[], None]) -> None:
    """A full disk at the start is waited for: as an error it would be a crash loop that ends in a dead unit."""
    end = time.monotonic() + patience
    told = False
    while True:
        try:
            opening()
        except (DBAPIError, OSError) as error:
            if not (is_disk_trouble(error) or getattr(error, "errno", None) in _FULL):
                raise
            why = str(error.orig if isinstance(error, DBAPIError) else error)
            if time.monotonic() + AGAIN > end:
                raise OSError(f"the ledger in {state} cannot be opened: {why}; {REMEDY}") from None
            if not told:
                log.error("scope.opened", scope="ledger", message=why, remedy=REMEDY)  # noqa: TRY400 - no bug
            told = True
            time.sleep(AGAIN)
        else:
            break
    if told:
        log.info("scope.closed", scope="ledger")


def _keep_private(ledger: Path) -> None:
    """0600, whatever the folder's rights are: names and words of recordings. What SQLite puts beside it is the same."""
    os.close(os.open(ledger, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for path in (ledger, *(ledger.with_name(ledger.name + suffix) for suffix in ("-wal", "-shm"))):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if os.stat(path).st_mode & 0o077:
                os.chmod(path, 0o600)


def _hold(state: Path) -> int:
    """Owning this lock proves that every claim in the ledger is dead."""
    lock = os.open(state / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(HOLD_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        time.sleep(HOLD_PAUSE)  # `status` asks who holds it by holding it for an instant
    os.close(lock)
    raise StateHeld(f"another dropscribe daemon holds the state folder {state}; one daemon a state folder")


def is_held(state: Path) -> bool:
    """Whether a daemon holds this state folder now (for commands that only look)."""
    try:
        lock = os.open(state / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def is_full(state: Path) -> bool:
    """Whether the disk of a state folder has no room for a ledger that goes on."""
    try:
        disk = os.statvfs(state)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < TOO_LITTLE
