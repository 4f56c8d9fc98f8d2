"""Opening, holding and closing a ledger."""

import asyncio
import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.errors import Misconfigured, StateHeld
from dropscribe.ledger import LEDGER_FILE, LOCK_FILE, Ledger, batches, intake, is_held, upkeep, uploads
from dropscribe.ledger.migrations import VERSION, migrate
from dropscribe.ledger.sqlite import writer_engine
from ledger.desk import NOW, WHO, file

OPEN_AND_WAIT = """
import sys
from pathlib import Path
from dropscribe.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def ledger(state: Path) -> Iterator[Ledger]:
    opened = Ledger(state)
    yield opened
    opened.close()


def reopen(state: Path) -> tuple[str, int]:
    again = Ledger(state)
    try:
        return again.id, again.epoch
    finally:
        again.close()


def test_the_state_folder_is_made_for_its_owner_alone(state: Path) -> None:
    reopen(state)

    assert state.stat().st_mode & 0o777 == 0o700


def test_the_ledger_is_its_owners_alone_whatever_the_folders_rights_are(state: Path) -> None:
    reopen(state)
    state.chmod(0o755)
    (state / LEDGER_FILE).chmod(0o644)

    opened = Ledger(state)
    try:
        modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}
    finally:
        opened.close()

    assert set(modes) >= {LEDGER_FILE, f"{LEDGER_FILE}-wal", f"{LEDGER_FILE}-shm", LOCK_FILE}
    assert set(modes.values()) == {0o600}


def test_a_ledger_keeps_its_name_for_ever_and_counts_its_processes(state: Path) -> None:
    first, second = reopen(state), reopen(state)

    assert first[0] == second[0] and len(first[0]) == 12
    assert (first[1], second[1]) == (1, 2)


def test_another_process_that_holds_the_state_folder_is_respected_until_it_dies(state: Path) -> None:
    command = [sys.executable, "-c", OPEN_AND_WAIT, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"open\n"
        assert is_held(state)
        with pytest.raises(StateHeld, match="another dropscribe daemon holds the state folder"):
            Ledger(state)
        other.kill()

    assert not is_held(state)
    assert reopen(state)[1] == 2


def test_somebody_who_only_looks_who_holds_the_state_folder_does_not_keep_the_daemon_out(state: Path) -> None:
    state.mkdir()
    looking = os.open(state / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.1, os.close, [looking]).start()

    reopen(state)


def test_a_state_folder_is_free_after_close_and_one_never_used_is_not_held(state: Path) -> None:
    assert not is_held(state)
    Ledger(state).close()
    assert not is_held(state)


def test_a_ledger_of_a_newer_version_is_refused_unchanged_and_let_go(state: Path) -> None:
    reopen(state)
    raw_sql(state, f"UPDATE meta SET value = '{VERSION + 1}' WHERE name = 'schema_version'")

    with pytest.raises(Misconfigured, match="newer version; upgrade dropscribe or restore the backup"):
        Ledger(state)

    assert not is_held(state)
    assert raw_sql(state, "SELECT value FROM meta WHERE name = 'epoch'") == [("1",)]


def test_a_database_of_another_program_is_refused_untouched(state: Path) -> None:
    state.mkdir()
    raw_sql(state, "CREATE TABLE theirs (x)")
    before = (state / LEDGER_FILE).read_bytes()

    with pytest.raises(Misconfigured, match="another program's"):
        Ledger(state)

    assert (state / LEDGER_FILE).read_bytes() == before and not is_held(state)


def test_a_file_that_is_no_database_is_refused_untouched(state: Path) -> None:
    state.mkdir()
    content = b"notes of somebody, " * 1000
    (state / LEDGER_FILE).write_bytes(content)

    with pytest.raises(Misconfigured, match="not a database; move it away"):
        Ledger(state)

    assert (state / LEDGER_FILE).read_bytes() == content and not is_held(state)


def test_an_upgrade_that_breaks_off_leaves_nothing_half_done(state: Path) -> None:
    state.mkdir()
    engine = writer_engine(state / LEDGER_FILE)
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        migrate(connection)
        raise ZeroDivisionError  # power fails here
    engine.dispose()

    assert raw_sql(state, "SELECT count(*) FROM sqlite_master") == [(0,)]
    reopen(state)


def test_the_file_is_told_from_other_databases_and_every_commit_reaches_the_disk(ledger: Ledger) -> None:
    def pragma(name: str) -> object:
        return ledger.do_now(lambda connection: connection.exec_driver_sql(f"PRAGMA {name}").scalar())

    assert pragma("application_id") == 0x64726F70
    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)


async def test_after_a_crash_claims_are_free_and_open_intents_are_in_doubt(state: Path) -> None:
    ledger = Ledger(state)
    await ledger.do(intake.take, "in", [file(b"a.mp3", "a"), file(b"b.mp3", "b")], NOW)
    first, _ = await ledger.do(uploads.claim, 2, NOW, ledger.epoch, lambda suffix: os.urandom(4).hex(), 1000)
    await ledger.do(uploads.all_uploaded, [(first.recognition_id, False)], NOW)
    (group,) = await ledger.look(batches.ready_groups, NOW)
    await ledger.do(batches.intend, group, 1, WHO, ledger.epoch, NOW, None)
    ledger.close()

    again = Ledger(state)

    (lost,) = await again.look(batches.open_batches, "lost", "intended")
    assert (lost.state, [item.key for item in lost.items]) == ("lost", [first.key])
    (job,) = await again.do(uploads.claim, 2, NOW, again.epoch, lambda suffix: "never", 1000)
    assert job.key != "never"
    again.close()


async def test_a_look_sees_what_was_done_and_cannot_write(ledger: Ledger) -> None:
    await ledger.do(upkeep.write_meta, "account", "account-1")

    assert await ledger.look(upkeep.read_meta, "account") == "account-1"
    with pytest.raises(Exception, match="readonly"):
        await ledger.look(upkeep.write_meta, "account", "account-2")


def test_one_look_sees_one_moment_however_many_statements_it_takes(ledger: Ledger) -> None:
    def twice(connection: object) -> list[str | None]:
        before = upkeep.read_meta(connection, "word")  # type: ignore[arg-type]
        ledger.do_now(upkeep.write_meta, "word", "new")
        return [before, upkeep.read_meta(connection, "word")]  # type: ignore[arg-type]

    ledger.do_now(upkeep.write_meta, "word", "old")

    assert ledger.look_now(twice) == ["old", "old"]
    assert ledger.look_now(upkeep.read_meta, "word") == "new"


async def test_what_is_asked_of_a_closed_ledger_is_refused_and_never_hangs(state: Path) -> None:
    ledger = Ledger(state)
    ledger.close()

    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.wait_for(ledger.do(upkeep.write_meta, "account", "x"), timeout=5)
    with pytest.raises(RuntimeError, match="closed"):
        await asyncio.wait_for(asyncio.to_thread(ledger.do_now, upkeep.write_meta, "account", "x"), timeout=5)


async def test_what_was_asked_before_close_is_done(state: Path) -> None:
    ledger = Ledger(state)
    asked = [asyncio.ensure_future(ledger.do(upkeep.write_meta, f"name-{n}", "x")) for n in range(50)]
    await asyncio.sleep(0)

    await asyncio.to_thread(ledger.close)

    await asyncio.gather(*asked)
    assert raw_sql(state, "SELECT count(*) FROM meta WHERE name LIKE 'name-%'") == [(50,)]


def test_the_lock_stays_in_the_folder_and_is_never_deleted_under_a_holder(state: Path, ledger: Ledger) -> None:
    assert (state / LOCK_FILE).stat().st_mode & 0o777 == 0o600


def raw_sql(state: Path, statement: str) -> list[tuple[object, ...]]:
    """As another program would speak to the file."""
    connection = sqlite3.connect(state / LEDGER_FILE)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()
