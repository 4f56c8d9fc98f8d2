"""A ledger of an older version, upgraded while the process is killed or the power goes: it is old or new, and whole.

Each call of the upgrade is a place to end: with all that was written until then (`kill -9`), or what a disk leaves.
"""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from dropscribe.ledger import LEDGER_FILE, Ledger, is_held
from dropscribe.ledger.migrations import VERSION
from dropscribe.sandbox import running_sandbox
from kill.scenarios import assert_all_is_in_its_place, everyday
from lab import FAST, Lab
from ledger.test_migrations import NEW_IN_2
from power.disk import LUCKY, STRICT, Wreck, whim, wrecks
from power.rebuild import rebuild
from power.record import Recording, record_script

pytestmark = pytest.mark.kill

CHANGED_AT_EACH_START = ("meta", "scope")
OPEN_AND_CLOSE = """
from pathlib import Path
from dropscribe.ledger import Ledger
Ledger(Path({state!r})).close()
"""
GROW_OLD = """
import os, sqlite3, sys
ledger = sqlite3.connect(sys.argv[1])
for table in sys.argv[2:]:
    ledger.execute(f"DROP TABLE {table}")
ledger.execute("UPDATE meta SET value = '1' WHERE name = 'schema_version'")
ledger.commit()
os._exit(0)  # what was written last stays in the WAL, as after a death
"""


@pytest.fixture
def root() -> Iterator[Path]:
    """In memory: what a disk may leave is worked out, and hundreds of ledgers are opened."""
    with tempfile.TemporaryDirectory(prefix="dropscribe-power-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def lab(root: Path) -> Iterator[Lab]:
    """Files that are uploaded, submitted, failed and delivered, in a ledger of version 1 whose daemon was killed."""
    (root / "lab").mkdir()
    with running_sandbox(FAST) as sandbox:
        yield Lab(root / "lab", sandbox, forked=True)


@pytest.fixture
def files(lab: Lab) -> dict[str, bytes]:
    files = everyday(lab)
    assert lab.run_once(kill_at="deliver.place:effect:2").returncode == -9
    grow_old(lab.state)
    return files


def grow_old(state: Path) -> None:
    subprocess.run([sys.executable, "-c", GROW_OLD, str(state / LEDGER_FILE), *NEW_IN_2], check=True)


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()[0])


def memory(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All that the ledger knew before, but for what each start writes."""
    old = tables(connection) - {*NEW_IN_2, *CHANGED_AT_EACH_START, "sqlite_sequence"}
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in sorted(old)}


def opened(state: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(state / LEDGER_FILE))


def assert_old_or_new(state: Path) -> int:
    """As it lies there, before anybody mends it; its version."""
    with opened(state) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = version(connection)
        assert set(NEW_IN_2) & tables(connection) == (set(NEW_IN_2) if found == VERSION else set()), found
        return found


def upgrade(state: Path) -> None:
    ledger = Ledger(state)
    ledger.close()


def test_a_ledger_whose_upgrade_is_cut_short_is_old_or_new_and_whole(
    lab: Lab, files: dict[str, bytes], root: Path
) -> None:
    recording = recorded(lab.state, root)
    with opened(lab.state) as connection:
        before = memory(connection)

    versions = set()
    for wreck in distinct_wrecks(recording):
        rebuild([lab.state], wreck)
        versions.add(assert_old_or_new(lab.state))
        upgrade(lab.state)
        with opened(lab.state) as connection:
            assert version(connection) == VERSION and set(NEW_IN_2) <= tables(connection)
            assert memory(connection) == before
    assert versions == {1, VERSION}

    after = lab.run_once()
    assert after.returncode in (0, 2), after.stderr[-3000:]
    assert_all_is_in_its_place(lab, files)


def recorded(state: Path, root: Path) -> Recording:
    """The calls that open a ledger, upgrade it, and close it."""
    (root / "museum").mkdir()
    watched = state if state.exists() else state.parent
    recording = record_script(OPEN_AND_CLOSE.format(state=str(state)), [watched], root / "museum", watched)
    assert recording.code == 0, recording.errors
    return recording


def distinct_wrecks(recording: Recording) -> Iterator[Wreck]:
    """What may be left after any call, each once."""
    seen = set()
    for moment, call in enumerate(recording.calls):
        recording.disk.apply(call)
        for _, wreck in wrecks(recording.disk, (LUCKY, STRICT, whim(moment))):
            if (digest := wreck.digest()) not in seen:
                seen.add(digest)
                yield wreck


def test_an_upgrade_that_fails_midway_leaves_the_older_ledger_as_it_was(lab: Lab, files: dict[str, bytes]) -> None:
    """Something of the name of one of its last indexes is there already: of its steps, many have been done by then."""
    with opened(lab.state) as connection:
        connection.execute("CREATE INDEX notice_message ON media (path)")
        before = memory(connection)

    with pytest.raises(DBAPIError, match="notice_message"):
        upgrade(lab.state)

    assert not is_held(lab.state)
    assert assert_old_or_new(lab.state) == 1
    with opened(lab.state) as connection:
        assert memory(connection) == before
        connection.execute("DROP INDEX notice_message")
    assert lab.run_once().returncode in (0, 2)
    assert_all_is_in_its_place(lab, files)


def test_a_ledger_whose_making_is_cut_short_is_made_anew(root: Path) -> None:
    state = root / "above" / "state"
    state.parent.mkdir()

    for wreck in distinct_wrecks(recorded(state, root)):
        rebuild([state.parent], wreck)
        upgrade(state)
        assert assert_old_or_new(state) == VERSION
