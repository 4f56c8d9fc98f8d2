"""The tables. Everything here runs on SQLite and, unchanged, on PostgreSQL.

Names of files are bytes (any name the kernel allows). Inodes are unsigned 64 bits and
kept as text, since neither database has such a type. `owner` is the epoch of the process that claimed a row.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
    false,
)

metadata = MetaData()


@event.listens_for(metadata, "before_create")
def _partial_on_postgresql_as_well(target: MetaData, connection: Connection, **_: Any) -> None:
    """What `sqlite_where` says of an index. Said beside it at import, it would load SQLAlchemy's whole dialect for
    PostgreSQL at every start, 3 % of the time.
    """
    if connection.dialect.name == "postgresql":
        for index in (index for table in target.tables.values() for index in table.indexes):
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

folder = Table(
    "folder",
    metadata,
    Column("path", LargeBinary, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("first_seen", Float, nullable=False),
)

recognition = Table(
    "recognition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("model", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("preparation", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("size_class", Integer, nullable=False),
    Column("crc64", String(16), nullable=False),
    Column("suffix", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", Integer),
    Column("object_key", Text),
    Column("company", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("tries", Text, nullable=False, default="{}"),
    Column("rebuys", Integer, nullable=False, default=0),
    Column("wait_until", Float, nullable=False, default=0.0),
    Column("created_at", Float, nullable=False),
    Column("ready_at", Float),
    Column("finished_at", Float),
    Column("code", Text),
    Column("message", Text),
    Column("remedy", Text),
    Column("request_id", Text),
    Column("task_id", Text),
)
DEAD_RECOGNITION = ("refused", "abandoned", "forgotten")
# One live recognition of the same content and recipe: the database itself refuses to buy it beside another.
Index(
    "one_live_recognition",
    recognition.c.sha256,
    recognition.c.model,
    recognition.c.settings,
    recognition.c.preparation,
    unique=True,
    sqlite_where=recognition.c.state.not_in(DEAD_RECOGNITION),
)
# The partial index above guards; it cannot serve a look-up, because SQLite uses one only where the query repeats its
# condition with literals, and ours are bound parameters. So look-ups have plain indexes of their own.
Index("recognition_content", recognition.c.sha256)
Index("recognition_work", recognition.c.state, recognition.c.id)

media = Table(
    "media",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("inbox", Text, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", Text, nullable=False),
    Column("sha256", String(64)),
    Column("recognition_id", ForeignKey("recognition.id")),
    Column("state", String(16), nullable=False),
    Column("owner", Integer),
    Column("wait_until", Float, nullable=False, default=0.0),
    Column("reason", Text),
    Column("taken_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("moved_to", LargeBinary),
    Column("error_file", LargeBinary),
    Column("code", Text),
    Column("message", Text),
    Column("remedy", Text),
    Column("request_id", Text),
    Column("task_id", Text),
    Column("attempts", Integer, nullable=False, default=0),
)
OPEN_MEDIA = ("waiting", "due", "delivering", "failing")
OWED_MEDIA = ("due", "delivering", "failing")
Index("media_path", media.c.inbox, media.c.path)
Index("media_recognition", media.c.recognition_id)
Index("media_work", media.c.state, media.c.inbox, media.c.id)

output = Table(
    "output",
    metadata,
    Column("path", LargeBinary, primary_key=True),
    Column("media_id", ForeignKey("media.id"), nullable=False, index=True),
    Column("format", String(32), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("replaces", String(64), nullable=False, server_default=""),
)

stored_object = Table(
    "stored_object",
    metadata,
    Column("key", Text, primary_key=True),
    Column("recognition_id", ForeignKey("recognition.id"), index=True),  # NULL: a probe's object
    Column("multipart", Boolean, nullable=False, default=False),
    Column("upload_id", Text),
    Column("doomed", Boolean, nullable=False, default=False),
    Column("created_at", Float, nullable=False),
)
Index("object_doomed", stored_object.c.doomed, stored_object.c.key)

batch = Table(
    "batch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("endpoint", Text, nullable=False),
    Column("account", String(64), nullable=False),
    Column("model", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", Integer),
    Column("total", Integer, nullable=False),
    Column("task_id", Text, unique=True),
    Column("request_id", Text),
    Column("intended_at", Float, nullable=False),
    Column("server_time", Float),
    Column("submitted_at", Float),
    Column("closed_at", Float),
    Column("billed_seconds", Float),
    Column("reason", Text),
    Column("paid_twice", Text),
)
Index("batch_work", batch.c.state, batch.c.id)

batch_item = Table(
    "batch_item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch_id", ForeignKey("batch.id"), nullable=False, index=True),
    Column("recognition_id", ForeignKey("recognition.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("live", Boolean, nullable=False, server_default=false()),
    Column("verdict", Text),
)
# A recognition is in one batch whose outcome is open, accepted or unknown: no second payment can even be written down.
Index(
    "one_open_payment",
    batch_item.c.recognition_id,
    unique=True,
    sqlite_where=batch_item.c.live,
)

result = Table(
    "result",
    metadata,
    Column("recognition_id", ForeignKey("recognition.id"), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Float, nullable=False, index=True),
)

scope = Table(
    "scope",
    metadata,
    Column("name", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("retry_at", Float, nullable=False),
)

lesson = Table(
    "lesson",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("until", Float, nullable=False),
)

# What was promised and spent: see `ledger.spending`.

reservation = Table(
    "reservation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("recognition_id", ForeignKey("recognition.id"), index=True),
    Column("batch_id", ForeignKey("batch.id"), index=True),
    Column("state", String(16), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("guessed", Boolean, nullable=False),
    Column("since", Float, nullable=False),
)
Index("reservation_work", reservation.c.state, reservation.c.batch_id, reservation.c.recognition_id)
Index("reservation_seconds", reservation.c.state, reservation.c.seconds, reservation.c.since)
# One payment that is still to come is reserved for once: no second reservation beside it can even be written down.
Index(
    "one_open_reservation",
    reservation.c.recognition_id,
    unique=True,
    sqlite_where=reservation.c.batch_id.is_(None),
)

spent = Table(
    "spent",
    metadata,
    Column("quarter", BigInteger, primary_key=True, autoincrement=False),
    Column("billed", Float, nullable=False),
    Column("guessed", Float, nullable=False),
)

allowance = Table(
    "allowance",
    metadata,
    Column("name", String(8), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("since", Float, nullable=False),
)

# What is to be told, and to whom: see `ledger.notices`.

subscription = Table(
    "subscription",
    metadata,
    Column("sink", String(16), primary_key=True),
    Column("event", String(32), primary_key=True),
)

notice = Table(
    "notice",
    metadata,
    # never used again after it was deleted: receivers tell notices apart by it
    Column("id", Integer, primary_key=True),
    Column("sink", String(16), nullable=False),
    Column("event", String(32), nullable=False),
    Column("media_id", ForeignKey("media.id"), index=True),
    Column("body", Text),
    Column("at", Float, nullable=False),
    Column("message", String(64)),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("wait_until", Float, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
Index("notice_work", notice.c.sink, notice.c.id)
Index("notice_message", notice.c.message)
