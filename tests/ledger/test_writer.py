"""The ledger thread: durable before answered, in groups; one that fails fails alone; a bad disk loses nothing."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError

from dropscribe.ledger.rows import StaleWrite
from dropscribe.ledger.sqlite import writer_engine
from dropscribe.ledger.writer import LARGEST_GROUP, Writer


@dataclass
class Bench:
    """A writer on a real file with one table of words."""

    path: Path
    engine: Engine
    troubles: list[BaseException | None] = field(default_factory=list)
    mended: Callable[[], None] | None = None
    """Called in the ledger thread when it has told of trouble: the disk is well again before the next try."""

    def on_trouble(self, error: BaseException | None) -> None:
        self.troubles.append(error)
        if error is not None and self.mended is not None:
            self.mended()

    def pragma(self, text: str) -> Any:
        """Bend the very connection that the ledger thread uses."""
        with closing(self.engine.raw_connection().cursor()) as cursor:
            return cursor.execute(f"PRAGMA {text}").fetchone()

    def stored(self) -> list[str]:
        """What another process would find now."""
        with closing(sqlite3.connect(self.path)) as other:
            return [word for (word,) in other.execute("SELECT word FROM words ORDER BY word")]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "ledger.sqlite"
    engine = writer_engine(path)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE words (word TEXT NOT NULL)")
    yield Bench(path, engine)
    engine.dispose()


@pytest.fixture
def writer(bench: Bench) -> Iterator[Writer]:
    opened = Writer(bench.engine, bench.on_trouble, first_pause=0.01)
    yield opened
    opened.close()


def write(word: str | None) -> Callable[[Connection], str | None]:
    def operation(connection: Connection) -> str | None:
        connection.execute(text("INSERT INTO words VALUES (:word)"), {"word": word})
        return word

    return operation


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM words").scalar_one())


def failing(error: Exception, word: str = "never") -> Callable[[Connection], str]:
    """Writes a word, then raises: nothing of it may stay."""

    def operation(connection: Connection) -> str:
        write(word)(connection)
        raise error

    return operation


class Gate:
    """Holds the ledger thread, so that what is asked meanwhile becomes one group."""

    def __init__(self, writer: Writer) -> None:
        self._open, self._entered = threading.Event(), threading.Event()
        self.passed = asyncio.ensure_future(writer.run(self._wait))

    async def shut(self) -> "Gate":
        await asyncio.to_thread(self._entered.wait, 10)
        return self

    def open(self) -> None:
        self._open.set()

    def _wait(self, _connection: Connection) -> None:
        self._entered.set()
        self._open.wait(10)


async def together(writer: Writer, *operations: Callable[[Connection], Any]) -> list[Any]:
    """Run operations as one group; what each returned or raised."""
    gate = await Gate(writer).shut()
    asked = [asyncio.ensure_future(writer.run(operation)) for operation in operations]
    await asyncio.sleep(0)
    gate.open()
    return list(await asyncio.gather(*asked, return_exceptions=True))


async def test_an_operation_is_durable_when_it_is_answered(bench: Bench, writer: Writer) -> None:
    assert await writer.run(write("word")) == "word"

    assert bench.stored() == ["word"]


async def test_many_operations_at_once_are_all_durable_in_few_commits(bench: Bench, writer: Writer) -> None:
    words = [f"{n:04}" for n in range(2 * LARGEST_GROUP)]
    commits = 0

    def counting(connection: Connection) -> None:
        nonlocal commits
        commits += 1

    event.listen(bench.engine, "commit", counting)
    answers = await together(writer, *(write(word) for word in words))

    assert answers == words == bench.stored()
    assert commits <= 4


@pytest.mark.parametrize(
    "error",
    [
        StaleWrite("moved"),
        ValueError("wrong"),
        KeyError("missing"),
        AttributeError("a bug"),
        AssertionError("a bug"),
        OSError("not of the disk"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_one_that_raises_fails_alone_and_the_thread_goes_on(
    bench: Bench, writer: Writer, error: Exception
) -> None:
    answers = await together(writer, write("before"), failing(error), write("after"))

    assert answers == ["before", error, "after"]
    assert bench.stored() == ["after", "before"]
    assert await writer.run(write("later")) == "later"


async def test_a_statement_that_the_database_refuses_fails_alone(bench: Bench, writer: Writer) -> None:
    answers = await together(writer, write("one"), write(None), write("two"))

    assert isinstance(answers[1], IntegrityError) and bench.stored() == ["one", "two"]
    assert bench.troubles == []


async def test_an_operation_sees_what_its_group_did_before_it(writer: Writer) -> None:
    assert await together(writer, write("one"), count, write("two"), count) == ["one", 1, "two", 2]


async def test_an_operation_that_depends_on_a_failed_one_finds_the_truth(writer: Writer) -> None:
    answers = await together(writer, write("one"), failing(ValueError()), count)

    assert answers[2] == 1


async def test_one_that_is_given_up_by_its_caller_holds_up_no_other(bench: Bench, writer: Writer) -> None:
    gate = await Gate(writer).shut()
    given_up = asyncio.ensure_future(writer.run(write("given up")))
    kept = asyncio.ensure_future(writer.run(write("kept")))
    await asyncio.sleep(0)
    given_up.cancel()
    gate.open()

    assert await kept == "kept"
    assert bench.stored() == ["given up", "kept"]


async def test_threads_are_answered_like_coroutines(bench: Bench, writer: Writer) -> None:
    assert await asyncio.to_thread(writer.run_now, write("word")) == "word"
    with pytest.raises(StaleWrite):
        await asyncio.to_thread(writer.run_now, failing(StaleWrite("moved")))

    assert bench.stored() == ["word"]


def full(bench: Bench) -> Callable[[], None]:
    """No page can be added to the file any more."""
    bench.pragma(f"max_page_count={bench.pragma('page_count')[0]}")
    return lambda: bench.pragma("max_page_count=1000000")


def read_only(bench: Bench) -> Callable[[], None]:
    """As after a file system was mounted read-only on an error."""
    bench.pragma("query_only=ON")
    return lambda: bench.pragma("query_only=OFF")


def held_by_a_backup(bench: Bench) -> Callable[[], None]:
    """Another program holds the file for longer than anybody waits."""
    bench.pragma("busy_timeout=10")
    other = sqlite3.connect(bench.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other.close


@pytest.mark.parametrize("trouble", [full, read_only, held_by_a_backup])
async def test_a_disk_in_trouble_is_told_once_and_nothing_is_lost_when_it_works_again(
    bench: Bench, writer: Writer, trouble: Callable[[Bench], Callable[[], None]]
) -> None:
    bench.mended = trouble(bench)
    large = "x" * 100_000

    answers = await together(writer, write(large), write("word"))

    assert answers == [large, "word"] and bench.stored() == ["word", large]
    assert [type(told).__name__ for told in bench.troubles] == ["OperationalError", "NoneType"]


async def test_one_that_raises_fails_alone_also_when_its_group_met_a_full_disk(bench: Bench, writer: Writer) -> None:
    bench.mended = full(bench)
    large = "x" * 100_000

    answers = await together(writer, write(large), failing(StaleWrite("moved")), write("word"))

    assert answers[0] == large and isinstance(answers[1], StaleWrite) and answers[2] == "word"
    assert bench.stored() == ["word", large] and bench.troubles[-1] is None


async def test_nothing_is_answered_while_the_disk_refuses(bench: Bench, writer: Writer) -> None:
    refused = threading.Event()
    mend = full(bench)
    bench.mended = refused.set

    asked = asyncio.ensure_future(writer.run(write("x" * 100_000)))
    await asyncio.to_thread(refused.wait, 10)
    assert not asked.done() and bench.stored() == []

    mend()
    await asked


async def test_close_while_the_disk_refuses_gives_up_what_waits_and_does_not_hang(bench: Bench) -> None:
    writer = Writer(bench.engine, bench.on_trouble, first_pause=0.01)
    refused = threading.Event()
    full(bench)
    bench.mended = refused.set
    stuck = asyncio.ensure_future(writer.run(write("x" * 100_000)))
    await asyncio.to_thread(refused.wait, 10)
    behind = asyncio.ensure_future(writer.run(write("y" * 100_000)))
    await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.to_thread(writer.close), timeout=5)

    found = await asyncio.wait_for(asyncio.gather(stuck, behind, return_exceptions=True), timeout=5)
    assert [type(error).__name__ for error in found] == ["OperationalError", "OperationalError"]
    assert bench.stored() == []


async def test_what_was_asked_before_close_is_durable_and_nothing_is_taken_after(bench: Bench) -> None:
    writer = Writer(bench.engine, bench.on_trouble, first_pause=0.01)
    asked = asyncio.ensure_future(writer.run(write("word")))
    await asyncio.sleep(0)

    await asyncio.to_thread(writer.close)

    assert await asked == "word" and bench.stored() == ["word"]
    with pytest.raises(RuntimeError, match="closed"):
        await writer.run(write("late"))
    with pytest.raises(RuntimeError, match="closed"):
        writer.run_now(write("late"))


async def test_a_ledger_whose_file_is_taken_away_writes_nothing_until_it_is_back(bench: Bench) -> None:
    """What SQLite would go on writing into a deleted file would be forgotten at the next start, and paid again."""
    aside = bench.path.with_name("aside")
    bench.mended = lambda: aside.rename(bench.path)
    writer = Writer(bench.engine, bench.on_trouble, first_pause=0.01)
    await writer.run(write("before"))
    bench.path.rename(aside)

    await writer.run(write("after"))
    writer.close()

    assert bench.stored() == ["after", "before"]
    assert "cannot be found" in str(bench.troubles[0])
    assert bench.troubles[1:] == [None]
