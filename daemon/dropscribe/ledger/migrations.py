"""Numbered steps from an empty file to today's schema; `schema_version` in `meta` says how far a ledger has come.

A step never changes once it was released: add the next one. All steps of an upgrade run in one transaction.
"""

from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from dropscribe.errors import Misconfigured, Problem
from dropscribe.ledger import schema
from dropscribe.ledger.schema import meta


def _first_schema(connection: Connection) -> None:
    schema.metadata.create_all(connection)


def _spending_and_notices(connection: Connection) -> None:
    tables = (schema.reservation, schema.spent, schema.allowance, schema.subscription, schema.notice)
    schema.metadata.create_all(connection, tables=tables)  # where the first step made them already, nothing is done


STEPS: tuple[Callable[[Connection], None], ...] = (_first_schema, _spending_and_notices)
VERSION = len(STEPS)


def migrate(connection: Connection) -> None:
    """Bring the ledger to `VERSION`.

    Raises:
        Misconfigured: the ledger was written by a newer dropscribe.
    """
    have = _version(connection)
    if have > VERSION:
        problem = Problem(
            "state",
            None,
            f"the ledger has schema {have}, this dropscribe knows {VERSION}: "
            "it was written by a newer version; upgrade dropscribe or restore the backup made before the upgrade",
        )
        raise Misconfigured([problem])
    for step in STEPS[have:]:
        step(connection)
    if have < VERSION:
        connection.execute(meta.delete().where(meta.c.name == "schema_version"))
        connection.execute(meta.insert().values(name="schema_version", value=str(VERSION)))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("meta"):
        return 0
    value = connection.execute(select(meta.c.value).where(meta.c.name == "schema_version")).scalar()
    return int(value) if value is not None else 0
