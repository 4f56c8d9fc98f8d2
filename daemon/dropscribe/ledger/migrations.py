"""A new ledger gets today's tables, an older one the upgrades that it lacks; `schema_version` in `meta` says how far.

An upgrade is SQL as it was on its day and never changes once it was released: what it said by today's tables would
change with them, and the next upgrade would find its own work done. A test holds that both ways end in the same tables.
All upgrades of a ledger run in one transaction.
"""

from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from dropscribe.errors import Misconfigured, Problem
from dropscribe.ledger import schema
from dropscribe.ledger.schema import meta

_SPENDING_AND_NOTICES = """
CREATE TABLE reservation (
    id INTEGER NOT NULL, recognition_id INTEGER, batch_id INTEGER, state VARCHAR(16) NOT NULL, seconds FLOAT NOT NULL,
    guessed BOOLEAN NOT NULL, since FLOAT NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY(recognition_id) REFERENCES recognition (id), FOREIGN KEY(batch_id) REFERENCES batch (id)
);
CREATE INDEX ix_reservation_recognition_id ON reservation (recognition_id);
CREATE INDEX ix_reservation_batch_id ON reservation (batch_id);
CREATE INDEX reservation_work ON reservation (state, batch_id, recognition_id);
CREATE INDEX reservation_seconds ON reservation (state, seconds, since);
CREATE UNIQUE INDEX one_open_reservation ON reservation (recognition_id) WHERE batch_id IS NULL;
CREATE TABLE spent (quarter BIGINT NOT NULL, billed FLOAT NOT NULL, guessed FLOAT NOT NULL, PRIMARY KEY (quarter));
CREATE TABLE allowance (name VARCHAR(8) NOT NULL, seconds FLOAT NOT NULL, since FLOAT NOT NULL, PRIMARY KEY (name));
CREATE TABLE subscription (sink VARCHAR(16) NOT NULL, event VARCHAR(32) NOT NULL, PRIMARY KEY (sink, event));
CREATE TABLE notice (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, sink VARCHAR(16) NOT NULL, event VARCHAR(32) NOT NULL,
    media_id INTEGER, body TEXT, at FLOAT NOT NULL, message VARCHAR(64), tries INTEGER DEFAULT '0' NOT NULL,
    wait_until FLOAT DEFAULT '0' NOT NULL, FOREIGN KEY(media_id) REFERENCES media (id)
);
CREATE INDEX ix_notice_media_id ON notice (media_id);
CREATE INDEX notice_message ON notice (message);
CREATE INDEX notice_work ON notice (sink, id);
"""


def _all_of(script: str) -> Callable[[Connection], None]:
    def upgrade(connection: Connection) -> None:
        for statement in script.split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement.strip())

    return upgrade


UPGRADES: tuple[Callable[[Connection], None], ...] = (_all_of(_SPENDING_AND_NOTICES),)
"""The first is that of version 1."""
VERSION = 1 + len(UPGRADES)


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
    if have == 0:
        schema.metadata.create_all(connection)
    else:
        for upgrade in UPGRADES[have - 1 :]:
            upgrade(connection)
    if have < VERSION:
        connection.execute(meta.delete().where(meta.c.name == "schema_version"))
        connection.execute(meta.insert().values(name="schema_version", value=str(VERSION)))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("meta"):
        return 0
    value = connection.execute(select(meta.c.value).where(meta.c.name == "schema_version")).scalar()
    return int(value) if value is not None else 0
