"""The memory of the house: every fact, durable before the next step begins.

All SQL of the program stands in this package, as functions of a connection, one module a room of the flow; `Ledger`
runs them: `await ledger.do(uploads.claim, ...)` in the one ledger thread, grouped, answered after the commit;
`await ledger.look(...)` on a read-only connection.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from dropscribe.errors import StateHeld
from dropscribe.ledger import upkeep
from dropscribe.ledger.migrations import migrate
from dropscribe.ledger.sqlite import reader_engine, writer_engine
from dropscribe.ledger.writer import Writer

P = ParamSpec("P")
Value = TypeVar("Value")
Statement = Callable[Concatenate[Connection, P], Value]

LEDGER_FILE = "ledger.sqlite"
LOCK_FILE = "lock"
HOLD_TRIES, HOLD_PAUSE = 10, 0.05


class Ledger:
    """An open ledger, held by this process alone."""

    def __init__(self, state: Path, on_trouble: Callable[[BaseException | None], None] = lambda error: None) -> None:
        """Open or create the ledger in `state` (made 0700), upgrade it, and make dead claims free again.

        Raises:
            StateHeld: another process holds this state folder.
            Misconfigured: a newer ledger, a foreign file, a SQLite that is too old.
            OSError: the folder cannot be made or written.
        """
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.state = state
        self._lock = _hold(state)
        try:
            self._engine = writer_engine(state / LEDGER_FILE)
            self._begin()
        except BaseException:
            os.close(self._lock)
            raise
        self._reader = reader_engine(state / LEDGER_FILE)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="ledger-read")
        self._writer = Writer(self._engine, on_trouble)

    def _begin(self) -> None:
        try:
            with self._engine.begin() as connection:
                migrate(connection)
                self.id = upkeep.ledger_id(connection, secrets.token_hex(6))
                self.epoch = upkeep.begin_epoch(connection)
        except BaseException:
            self._engine.dispose()
            raise

    async def do(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """Run a statement in the ledger thread; return its value once it is durable."""
        return await self._writer.run(lambda connection: statement(connection, *args, **kwargs))

    async def look(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """Run a reading statement beside the writer."""
        call = partial(self.look_now, statement, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._reading, call)

    def look_now(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """The same for callers that are in a thread of their own."""
        with self._reader.connect() as connection:
            return statement(connection, *args, **kwargs)

    def do_now(self, statement: Statement[P, Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        """`do` for a thread other than the loop's and the ledger's own."""
        return self._writer.run_now(lambda connection: statement(connection, *args, **kwargs))

    def close(self) -> None:
        """Commit what waits, close the file, let the state folder go."""
        self._writer.close()
        self._reading.shutdown()
        self._reader.dispose()
        self._engine.dispose()
        os.close(self._lock)


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
