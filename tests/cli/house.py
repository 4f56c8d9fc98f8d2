"""A configured house without a daemon: folders, a ledger brought into any state, and commands run in this process."""

import contextlib
import gzip
import hashlib
import io
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dropscribe.cli import main
from dropscribe.config import load
from dropscribe.config.settings import Settings
from dropscribe.disk import look_of_stat
from dropscribe.folders import place_of
from dropscribe.ledger import Ledger, batches, deliveries, intake, judgements, upkeep, uploads
from dropscribe.ledger.rows import NewMedia, PlannedOutput, Reservation
from dropscribe.model import Failure, Fingerprint, Identity, Recipe
from dropscribe.names import error_name
from dropscribe.placement import reason_of

NOW = 1_795_000_000.0
WHO = Identity("http://127.0.0.1:9", "0123456789abcdef")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*arguments: str | bytes) -> Ran:
    """A command in this process, as a shell would call it."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([os.fsdecode(argument) for argument in arguments])
    out.flush()
    return Ran(int(ended.value.code or 0), out.buffer.getvalue().decode(), err.getvalue())  # type: ignore[attr-defined]


class House:
    """One inbox called `talks`, with folders beside it, in `root`."""

    def __init__(self, root: Path, **inbox: Any) -> None:
        self.root = root
        self.config = root / "config.yaml"
        self.inbox, self.outbox = root / "inbox", root / "outbox"
        self.done, self.failed, self.state = root / "done", root / "failed", root / "state"
        self.keeps = inbox.get("done") == "keep"
        self.configure({"name": "talks", "inbox": "inbox", **inbox})
        for folder in (self.inbox, self.outbox, self.done, self.failed):
            folder.mkdir(exist_ok=True)
        self._numbers = itertools.count(1)
        self._held: Ledger | None = None

    def configure(self, *inboxes: dict[str, Any], **sections: dict[str, Any]) -> None:
        content: dict[str, Any] = {
            "model_studio": {"endpoint": WHO.endpoint, "api_key": "sk-secret"},
            "storage": {
                "bucket": "sandbox",
                "region": "cn-beijing",
                "endpoint": WHO.endpoint,
                "access_key_id": "id",
                "access_key_secret": "storage-secret",
            },
            "inboxes": list(inboxes),
        }
        self.config.write_text(yaml.safe_dump(content | sections))

    @property
    def settings(self) -> Settings:
        return load(self.config, {})

    def run(self, command: str, *arguments: str | bytes) -> Ran:
        return run(command, "--config", str(self.config), *arguments)

    @contextlib.contextmanager
    def daemon(self) -> Iterator[Ledger]:
        """The state folder held, as a running daemon holds it; within another block, as that one holds it."""
        if self._held is not None:
            yield self._held
            return
        self._held = Ledger(self.state)
        try:
            yield self._held
        finally:
            self._held.close()
            self._held = None

    def drop(self, path: str | bytes, content: bytes = b"sound") -> Path:
        """Put a file into the inbox."""
        target = self.inbox / os.fsdecode(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def remember_folders(self) -> None:
        """As the daemon does when it sees them for the first time."""
        with self.daemon() as ledger:
            for folder in (self.inbox, self.outbox, self.done, self.failed):
                place = place_of(folder)
                assert place is not None
                ledger.do_now(upkeep.remember_folder, os.fsencode(folder), place.text(), NOW)

    def remove_inbox(self) -> None:
        """The configuration does not name the inbox any more; the ledger remembers where it lay."""
        with self.daemon() as ledger:
            ledger.do_now(upkeep.remember_inbox, "talks", os.fsencode(self.inbox))
        self.configure({"name": "calls", "inbox": "calls/inbox"})

    def take(self, *paths: str | bytes, model: str = "fun-asr") -> None:
        """The files were taken."""
        with self.daemon() as ledger:
            ledger.do_now(intake.take, "talks", [self._new(os.fsencode(path), model) for path in paths], NOW)

    def upload(self) -> None:
        """Everything that was taken is uploaded."""
        with self.daemon() as ledger:
            key = lambda suffix: f"key-{next(self._numbers)}.{suffix}"  # noqa: E731
            for job in ledger.do_now(uploads.claim, 1000, NOW + 1, ledger.epoch, key, 10**9):
                ledger.do_now(uploads.all_uploaded, [(job.recognition_id, False)], NOW + 1)

    def submit(self, task_id: str | None = "task-1") -> int:
        """Everything that is uploaded is in one batch; without a task id its outcome is open."""
        with self.daemon() as ledger:
            group = ledger.look_now(batches.ready_groups, NOW + 2)[0]
            row = ledger.do_now(batches.intend, group, 1000, WHO, ledger.epoch, NOW + 2, None)
            assert row is not None
            if task_id is not None:
                ledger.do_now(batches.accepted, row.id, task_id, "request", NOW + 2)
            return row.id

    def answer(self, batch_id: int, billed: float | None = None) -> None:
        """The task is done; its objects are gone from the bucket."""
        with self.daemon() as ledger:
            row = ledger.look_now(batches.batch_row, batch_id)
            assert row is not None
            bodies = {item.recognition_id: gzip.compress(b"{}") for item in row.items}
            ledger.do_now(judgements.answered, batch_id, bodies, NOW + 3)
            ledger.do_now(judgements.close_if_judged, batch_id, billed, NOW + 3)
            ledger.do_now(upkeep.objects_gone, [item.key for item in row.items])

    def refuse(self, batch_id: int, failure: Failure) -> None:
        """The service refuses every file of the batch."""
        with self.daemon() as ledger:
            row = ledger.look_now(batches.batch_row, batch_id)
            assert row is not None
            for item in row.items:
                ledger.do_now(judgements.refused, batch_id, item.recognition_id, failure, NOW + 3)
            ledger.do_now(upkeep.objects_gone, [item.key for item in row.items])

    def settle(self) -> None:
        """Everything that is owed is delivered, or put into failed/ with its reason."""
        with self.daemon() as ledger:
            for media in ledger.look_now(deliveries.owed, "talks", 1000, NOW + 4):
                if media.state == "failing":
                    self._fail(ledger, media)
                else:
                    self._deliver(ledger, media)

    def _deliver(self, ledger: Ledger, media: Any) -> None:
        target = None if self.keeps else os.path.join(os.fsencode(self.done), media.path)
        stem = os.path.splitext(os.path.join(os.fsencode(self.outbox), media.path))[0]
        outputs = tuple(PlannedOutput(stem + b"." + name.encode(), name, "0" * 64) for name in ("json", "srt"))
        ledger.do_now(deliveries.reserve, [Reservation(media.media_id, outputs, target)])
        for planned in outputs:
            _write(planned.path, b"output")
        self._move(media.path, target)
        ledger.do_now(deliveries.delivered, [(media.media_id, None)], NOW + 5)

    def _fail(self, ledger: Ledger, media: Any) -> None:
        wanted = os.path.join(os.fsencode(self.failed), media.path)
        target = None if self.keeps else wanted
        ledger.do_now(deliveries.reserve_failures, [Reservation(media.media_id, (), target, error_name(wanted))])
        _write(error_name(wanted), reason_of(media, NOW + 5))
        self._move(media.path, target)
        ledger.do_now(deliveries.failed, [(media.media_id, None)], NOW + 5)

    def _move(self, path: bytes, target: bytes | None) -> None:
        if target is not None:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.move(os.path.join(os.fsencode(self.inbox), path), target)

    def deliver(self, path: str | bytes, content: bytes = b"sound") -> None:
        """A file went the whole way."""
        self.drop(path, content)
        with self.daemon():
            self.take(path)
            self.upload()
            self.answer(self.submit(f"task-{next(self._numbers)}"), billed=7.0)
            self.settle()

    def fail(self, path: str | bytes, content: bytes = b"broken", code: str = "DECODE_ERROR") -> None:
        """A file went the whole way into failed/."""
        self.drop(path, content)
        with self.daemon():
            self.take(path)
            self.upload()
            self.refuse(self.submit(f"task-{next(self._numbers)}"), Failure(code, "it cannot be decoded", "convert it"))
            self.settle()

    def _new(self, path: bytes, model: str) -> NewMedia:
        whole = os.path.join(os.fsencode(self.inbox), path)
        with open(whole, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        fingerprint = Fingerprint(look_of_stat(os.lstat(whole)), digest, 1)
        return NewMedia(path, fingerprint, Recipe(model), "mp3", 0)


def _write(path: bytes, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def files_below(folder: Path) -> set[str]:
    """Paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
