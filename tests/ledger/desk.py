"""A ledger on the table: its statements run one by one, each in its own transaction, in memory."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, Row, select, text

from dropscribe.ledger import batches, deliveries, intake, judgements, upkeep, uploads
from dropscribe.ledger.migrations import migrate
from dropscribe.ledger.rows import Again, BatchRow, NewMedia, OwedMedia, PlannedOutput, Reservation, Taken, UploadJob
from dropscribe.ledger.schema import media, recognition, stored_object
from dropscribe.ledger.sqlite import writer_engine
from dropscribe.model import Failure, Fingerprint, Identity, Look, Recipe

P = ParamSpec("P")
Value = TypeVar("Value")

NOW = 1_795_000_000.0
WHO = Identity("https://dashscope.aliyuncs.com", "account-1")
FUN_ASR = Recipe("fun-asr")
BROKEN = Failure("DECODE_ERROR", "it does not play", "convert it", "request-1", "task-1", 1)


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def file(
    path: bytes = b"a.mp3", content: str = "a", recipe: Recipe = FUN_ASR, size: int = 5, inode: int = 7
) -> NewMedia:
    """A settled file as intake hands it in."""
    fingerprint = Fingerprint(Look(size, 1_600_000_000_000_000_000, inode), sha256(content), 0xFEDCBA9876543210)
    return NewMedia(path, fingerprint, recipe, "mp3", 0)


@dataclass
class Desk:
    """One ledger, and its usual next steps under short names. `epoch` is that of the process that works at it."""

    engine: Engine
    now: float = NOW
    epoch: int = 1
    keys: list[str] = field(default_factory=list)

    def do(self, statement: Callable[Concatenate[Connection, P], Value], *args: P.args, **kwargs: P.kwargs) -> Value:
        with self.engine.begin() as connection:
            return statement(connection, *args, **kwargs)

    def sql(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        with self.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return found.all() if found.returns_rows else []

    def new_key(self, suffix: str) -> str:
        self.keys.append(f"dropscribe/0123/{len(self.keys):04}.{suffix}")
        return self.keys[-1]

    def take(self, *files: NewMedia, inbox: str = "in") -> list[Taken]:
        return self.do(intake.take, inbox, files or (file(),), self.now)

    def take_contents(self, *contents: str) -> list[int]:
        """Files named after their contents, all new; the ids of their recognitions."""
        self.take(*(file(f"{content}.mp3".encode(), content) for content in contents))
        return [self.recognition_of(f"{content}.mp3".encode()).id for content in contents]

    def claim(self, limit: int = 1000, multipart_above: int = 1000) -> list[UploadJob]:
        return self.do(uploads.claim, limit, self.now, self.epoch, self.new_key, multipart_above)

    def upload(self, limit: int = 1000) -> list[UploadJob]:
        """Everything that needs its object gets it."""
        jobs = self.claim(limit)
        for job in jobs:
            self.do(uploads.all_uploaded, [(job.recognition_id, job.multipart)], self.now)
        return jobs

    def intend(self, limit: int = 100, withheld: Sequence[int] = ()) -> BatchRow | None:
        """The intent to pay for what is ready, of the group that is ready first."""
        groups = self.do(batches.ready_groups, self.now)
        if not groups:
            return None
        return self.do(batches.intend, groups[0], limit, WHO, self.epoch, self.now, self.now - 1.0, withheld)

    def intended(self, *contents: str) -> BatchRow:
        """A batch of new recordings, as it stands before its request leaves."""
        self.take_contents(*contents)
        self.upload()
        row = self.intend()
        assert row is not None
        return row

    def submitted(self, *contents: str, task_id: str = "task-1") -> BatchRow:
        """A batch of new recordings in a task."""
        row = self.intended(*contents)
        assert self.do(batches.accepted, row.id, task_id, "request-1", self.now)
        return self.batch(row.id)

    def lost(self, *contents: str) -> BatchRow:
        """A batch of new recordings whose answer never came."""
        row = self.intended(*contents)
        assert self.do(batches.lost, row.id, "the connection broke")
        return self.batch(row.id)

    def answer(self, row: BatchRow) -> None:
        """The results of all that is left in a batch are safe."""
        bodies = {item.recognition_id: b"result of %d" % item.recognition_id for item in row.items}
        self.do(judgements.answered, row.id, bodies, self.now)

    def bring_to(self, state: str, path: bytes = b"a.mp3") -> None:
        """Step by step, until the recognition of a path has come to this state."""
        while (found := self.recognition_of(path)).state != state:
            if found.state == "needed":
                self.claim()
            elif found.state == "uploading":
                self.do(uploads.all_uploaded, [(found.id, False)], self.now)
            elif found.state == "uploaded":
                self.intend()
            elif found.state == "submitting":
                (row,) = self.do(batches.open_batches, "intended")
                self.do(batches.accepted, row.id, f"task-{row.id}", "request-1", self.now)
            else:
                self.answer(next(row for row in self.do(batches.open_batches, "submitted") if row.items))

    def again(self, row: BatchRow, code: str, wait_until: float = NOW, **how: Any) -> bool:
        """All that is left in a batch is to be sent again; whether that was news."""
        more = Again(code, "try again", wait_until, **how)
        news = [self.do(judgements.again, row.id, item.recognition_id, more) for item in row.items]
        return any(news)

    def answer_all(self) -> None:
        """Everything that waits is uploaded, paid and answered."""
        self.upload()
        while row := self.intend():
            self.do(batches.accepted, row.id, f"task-{row.id}", "request-1", self.now)
        for row in self.do(batches.open_batches, "submitted"):
            self.answer(row)

    def owed(self, inbox: str = "in", limit: int = 100) -> list[OwedMedia]:
        return self.do(deliveries.owed, inbox, limit, self.now)

    def reserve(self, media_id: int, *names: bytes, moved_to: bytes | None = b"/done/a.mp3") -> None:
        outputs = tuple(PlannedOutput(b"/out/" + name, "json", sha256("json")) for name in names or (b"a.json",))
        self.do(deliveries.reserve, [Reservation(media_id, outputs, moved_to)])

    def deliver(self, *media_ids: int) -> None:
        for media_id in media_ids:
            self.reserve(media_id, b"%d.json" % media_id)
        self.do(deliveries.delivered, [(media_id, None) for media_id in media_ids], self.now)

    def fail(self, media_id: int, error_file: bytes = b"/failed/a.mp3.error.json") -> None:
        self.do(deliveries.reserve_failures, [Reservation(media_id, (), b"/failed/a.mp3", error_file)])
        self.do(deliveries.failed, [(media_id, None)], self.now)

    def media(self, path: bytes = b"a.mp3", inbox: str = "in") -> Any:
        """The latest row of a path."""
        query = select(media).where(media.c.path == path, media.c.inbox == inbox).order_by(media.c.id.desc())
        with self.engine.begin() as connection:
            return connection.execute(query).first()

    def states(self, path: bytes = b"a.mp3") -> list[str]:
        """What became of each file that ever lay at a path, the oldest first."""
        return [row.state for row in self.sql("SELECT state FROM media WHERE path = :path ORDER BY id", path=path)]

    def recognition(self, recognition_id: int) -> Any:
        with self.engine.begin() as connection:
            return connection.execute(select(recognition).where(recognition.c.id == recognition_id)).one()

    def recognition_of(self, path: bytes = b"a.mp3") -> Any:
        return self.recognition(self.media(path).recognition_id)

    def recognitions(self) -> list[str]:
        """The states of all recognitions, the oldest first."""
        return [row.state for row in self.sql("SELECT state FROM recognition ORDER BY id")]

    def batch(self, batch_id: int) -> BatchRow:
        row = self.do(batches.batch_row, batch_id)
        assert row is not None
        return row

    def doomed(self) -> set[str]:
        return {one.key for one in self.do(upkeep.doomed_objects, 1000)}

    def sweep(self) -> None:
        """What is doomed is gone from the bucket."""
        self.do(upkeep.objects_gone, sorted(self.doomed()))

    def objects(self) -> dict[str, int]:
        """Keys that are kept, and whose they are."""
        with self.engine.begin() as connection:
            rows = connection.execute(select(stored_object).where(~stored_object.c.doomed))
            return {row.key: row.recognition_id for row in rows}

    def die(self) -> None:
        """The process ends here; another one opens the ledger."""
        self.epoch = self.do(upkeep.begin_epoch)


def open_desk() -> Desk:
    engine = writer_engine(Path(":memory:"))
    with engine.begin() as connection:
        migrate(connection)
        epoch = upkeep.begin_epoch(connection)
    return Desk(engine, epoch=epoch)
