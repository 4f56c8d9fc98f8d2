"""Ledgers of older versions become what a new one is. What an upgrade that is cut short leaves: tests/power."""

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from dropscribe.ledger.migrations import VERSION, migrate
from dropscribe.ledger.sqlite import writer_engine

FIRST = Path(__file__).with_name("version_1.sql")
NEW_IN_2 = ("reservation", "spent", "allowance", "subscription", "notice")


def first_version(connection: Connection) -> None:
    """The tables as version 1 had them."""
    for statement in FIRST.read_text().split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def nothing(_connection: Connection) -> None:
    """A new ledger."""


def tables_after(begin: Callable[[Connection], None]) -> tuple[dict[str, str], str]:
    """What SQLite says of each table and index after an upgrade, and the version that the ledger says it has."""
    engine = writer_engine(Path(":memory:"))
    with engine.begin() as connection:
        begin(connection)
        migrate(connection)
        made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        version = connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'schema_version'").scalar_one()
        found = {row.name: _spelled_alike(row.sql) for row in made}, version
    engine.dispose()
    return found


def _spelled_alike(sql: str) -> str:
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(sql.split()))


def test_a_ledger_that_was_upgraded_has_the_tables_of_a_new_one() -> None:
    upgraded, new = tables_after(first_version), tables_after(nothing)

    assert upgraded == new
    assert new[1] == str(VERSION) and set(NEW_IN_2) < set(new[0])
