"""The ledger thread: the only writer. It commits what is waiting in groups, and answers only after the commit."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from dropscribe.ledger.sqlite import is_disk_trouble

Value = TypeVar("Value")
Operation = Callable[[Connection], Value]

LARGEST_GROUP = 1000
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0


@dataclass(slots=True)
class _Waiting:
    operation: Operation[Any]
    future: "asyncio.Future[Any] | Future[Any]"
    loop: asyncio.AbstractEventLoop | None = None
    outcome: Any = None
    error: BaseException | None = None

    def answer(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)


class Writer:
    """Runs operations in one thread, many to a transaction. An operation is called with the connection; it may be
    called again if its group had to be rolled back, so it must do nothing but speak to the database.
    """

    def __init__(
        self, engine: Engine, on_trouble: Callable[[BaseException | None], None], first_pause: float = FIRST_PAUSE
    ) -> None:
        """`on_trouble` is told, in the ledger thread, when the disk refuses, and with None when it works again;
        `first_pause` seconds go by before it is asked again, and ever more after that.
        """
        self._engine = engine
        self._first_pause = first_pause
        self._on_trouble = on_trouble
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._door = threading.Lock()
        self._asked = self._done = 0
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Operations that were asked for and are not durable yet: safe from any thread."""
        return self._asked - self._done

    async def run(self, operation: Operation[Value]) -> Value:
        """Run one operation; return its value when it is durable. Raises RuntimeError after `close`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Value] = loop.create_future()
        self._enqueue(_Waiting(operation, future, loop))
        return await future

    def run_now(self, operation: Operation[Value]) -> Value:
        """The same for a thread that may wait."""
        future: Future[Value] = Future()
        self._enqueue(_Waiting(operation, future))
        return future.result()

    def close(self) -> None:
        """Commit what is waiting and end the thread. While the disk refuses, what waits is given up."""
        with self._door:
            self._closing.set()
            self._queue.put(None)
        self._thread.join()

    def _enqueue(self, waiting: _Waiting) -> None:
        with self._door:  # behind the last one of `close` nobody would ever be answered
            if self._closing.is_set():
                raise RuntimeError("the ledger is closed")
            self._asked += 1
            self._queue.put(waiting)

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while (group := self._next_group()) is not None:
                self._commit(connection, group)
                _answer(group)
                self._done += len(group)

    def _next_group(self) -> list[_Waiting] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        with contextlib.suppress(queue.Empty):
            while len(group) < LARGEST_GROUP:
                item = self._queue.get_nowait()
                if item is None:
                    self._queue.put(None)  # seen again after this group
                    break
                group.append(item)
        return group

    def _commit(self, connection: Connection, group: list[_Waiting]) -> None:
        try:
            self._transaction(connection, group)
        except Exception as error:  # of any kind: it is its caller's, and must not end this thread
            if is_disk_trouble(error):
                self._insist(connection, group, error)
            elif len(group) == 1:
                group[0].error = error
            else:
                for one in group:
                    self._commit(connection, [one])

    def _transaction(self, connection: Connection, group: list[_Waiting]) -> None:
        with connection.begin():
            for waiting in group:
                waiting.outcome = waiting.operation(connection)

    def _insist(self, connection: Connection, group: list[_Waiting], error: BaseException) -> None:
        """The disk is full or failing: stop acting, stay alive, try this very group until it is durable."""
        self._on_trouble(error)
        pause = self._first_pause
        while not self._closing.wait(pause):
            try:
                self._transaction(connection, group)
            except Exception as again:
                if not is_disk_trouble(again):
                    self._commit(connection, group)
                    break
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                break
        else:
            for waiting in group:
                waiting.error = error
            return
        self._on_trouble(None)


def _answer(group: list[_Waiting]) -> None:
    for waiting in group:
        if waiting.loop is None:
            waiting.answer()
    loops = {waiting.loop for waiting in group if waiting.loop is not None}
    for loop in loops:
        mine = [waiting for waiting in group if waiting.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop may be gone after a hard stop
            loop.call_soon_threadsafe(_answer_all, mine)


def _answer_all(group: list[_Waiting]) -> None:
    for waiting in group:
        waiting.answer()
