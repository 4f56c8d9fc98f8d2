"""A folder's life between deaths: files come all the while, in every way they may, and the cloud fails now and then."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from lab import Daemon, Lab, eventually, files_below, sha256

LARGE = bytes(range(256)) * 4096 * 6  # 6 MiB: two parts
BROKEN = b"BROKEN:FILE_PARSE_FAILED "
SILENT = b"NOSPEECH "
MOST_LINES = 40
MOST_RUNS = 20
LONGEST_QUEUE = 12

FAULTS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("submit", "lost", {}),
    ("submit", "drop", {}),
    ("submit", "error", {"status": 500}),
    ("submit", "error", {"status": 429, "code": "Throttling.RateQuota"}),
    ("put", "lost", {}),
    ("put", "drop", {}),
    ("put", "error", {"status": 503, "code": "ServiceUnavailable"}),
    ("put", "hang", {}),
    ("initiate", "lost", {}),
    ("part", "drop", {}),
    ("complete", "lost", {}),
    ("query", "error", {"status": 500}),
    ("query", "truncate", {}),
    ("list", "error", {"status": 500}),
    ("result", "error", {"status": 500}),
    ("result", "truncate", {}),
    ("download", "delay", {"seconds": 0.3}),
    ("delete", "drop", {}),
    ("delete_many", "lost", {}),
    ("delete_many", "error", {"status": 503, "code": "ServiceUnavailable"}),
)
"""None of them may cost a file or a second payment."""


class Turmoil:
    """One lab, one seed."""

    def __init__(self, lab: Lab, seed: int, keeps: bool) -> None:
        """`keeps`: sources stay in the inbox, and some are replaced by others under their names."""
        self._lab = lab
        self._chance = Random(seed)
        self._keeps = keeps
        self._growing: list[BinaryIO] = []
        self._dropped = 0
        self.files: dict[str, bytes] = {}
        self.versions: set[bytes] = set()
        self.deaths: Counter[str] = Counter()
        lab.configure(
            inbox={"done": "keep"} if keeps else {},
            batch={"max_wait": "100ms"},
            model_studio={"max_urls_per_task": 20},
            storage={"multipart_above": "5MB"},
            retry={"attempts": 100},
        )

    def round(self) -> None:
        """Files, perhaps a fault, a daemon, and its death by `kill -9` at a moment that nobody chose."""
        for _ in range(self._chance.randint(1, 4)):
            self._drop_if_wanted()
        if self._chance.random() < 0.4:
            call, does, how = self._chance.choice(FAULTS)
            self._lab.sandbox.inject(call, does, times=self._chance.randint(1, 3), **how)
        with self._lab.start() as daemon:
            self._wait_in(daemon)
            daemon.kill()
            self.deaths[_last_event(daemon.log_path)] += 1
        while self._growing and self._chance.random() < 0.7:
            self._finish()

    def _wait_in(self, daemon: Daemon) -> None:
        """Until it has said so many lines, or none for longer than it took to start: a busy machine is slow in all."""
        wanted = int(self._chance.triangular(0, MOST_LINES, 8))
        if wanted == 0:  # before its first word
            return time.sleep(self._chance.uniform(0, 0.2))
        begun = time.monotonic()
        eventually(lambda: _lines(daemon.log_path) > 0, within=60)
        silence = max(0.5, 2 * (time.monotonic() - begun))
        said, since = 0, time.monotonic()
        while said < wanted and time.monotonic() < since + silence:
            if self._chance.random() < 0.05:
                self._drop_if_wanted()
            time.sleep(self._chance.uniform(0.001, 0.03))
            if (now := _lines(daemon.log_path)) != said:
                said, since = now, time.monotonic()
        return None

    def _drop_if_wanted(self) -> None:
        """Not ever more: where most of the work never begins, deaths strike nothing but beginnings."""
        done = sum(1 for _ in self._lab.outbox.rglob("*.json")) + sum(1 for _ in self._lab.failed.rglob("*.json"))
        if len(self.files) - done < LONGEST_QUEUE:
            self._drop()

    def _drop(self) -> None:
        number = self._dropped = self._dropped + 1
        path = f"{number % 7}/{number % 3}/talk {number}.mp3"
        if self._keeps and self.files and self._chance.random() < 0.15:
            path = self._chance.choice(sorted(self.files))
        content = self._content(number)
        self.files[path] = content
        self.versions.add(content)
        self._put(self._lab.inbox / path, content)

    def _content(self, number: int) -> bytes:
        kind = self._chance.random()
        if kind < 0.1 and self.files:
            return self._chance.choice(sorted(self.files.values()))
        unique = f"content {number} ".encode()
        if kind < 0.13:
            return BROKEN + unique
        if kind < 0.16:
            return SILENT + unique
        return unique + LARGE if kind < 0.18 else unique * 99

    def _put(self, target: Path, content: bytes) -> None:
        """Renamed into its place, written there, or written there by halves with a death in between."""
        target.parent.mkdir(parents=True, exist_ok=True)
        way = self._chance.random()
        if target.exists() or way < 0.4:
            aside = self._lab.root / "aside"
            aside.write_bytes(content)
            os.replace(aside, target)
        elif way < 0.8:
            target.write_bytes(content)
        else:
            file = open(target, "wb", buffering=0)  # noqa: SIM115 - stays open over a death
            file.write(content[: len(content) // 2])
            self._growing.append(file)

    def _finish(self) -> None:
        with self._growing.pop() as file:
            content = self.files[os.path.relpath(file.name, self._lab.inbox)]
            file.write(content[len(content) // 2 :])

    def settle(self) -> None:
        """No more faults; a run that has too much to do for its time is one more death."""
        while self._growing:
            self._finish()
        self._lab.sandbox.clear_faults()
        broken = any(content.startswith(BROKEN) for content in self.files.values())
        after = next(filter(None, (self._last_run() for _ in range(MOST_RUNS))), None)
        assert after is not None, f"not done after {MOST_RUNS} runs"
        assert after.returncode in ((0, 2) if broken else (0,)), after.stderr[-3000:]

    def _last_run(self) -> "subprocess.CompletedProcess[str] | None":
        try:
            return self._lab.run_once(patience="40s")
        except subprocess.TimeoutExpired:
            return None

    def assert_books_balance(self) -> None:
        """Everything is where it belongs, and paid for once."""
        lab = self._lab
        good = {path: data for path, data in self.files.items() if not data.startswith(BROKEN)}
        bad = {path: data for path, data in self.files.items() if data.startswith(BROKEN)}
        errors = {f"{path}.error.json" for path in bad}
        if self._keeps:
            assert files_below(lab.inbox) == self.files
            assert set(files_below(lab.failed)) == errors
        else:
            assert files_below(lab.inbox) == {}
            assert files_below(lab.done) == good
            assert set(files_below(lab.failed)) == {*bad, *errors}
        stems = {path.removesuffix(".mp3"): data for path, data in good.items()}
        wanted = {f"{stem}.{suffix}" for stem in stems for suffix in ("json", "srt")}
        assert wanted <= set(lab.outputs())
        heard = lab.heard()
        assert {path: heard[path] for path in wanted if path in heard} == {
            f"{stem}.json": sha256(data) for stem, data in stems.items()
        }
        self._assert_old_words(set(lab.outputs()) - wanted, heard)
        self._assert_paid_once(good)
        lab.assert_bucket_is_empty()
        lab.assert_nothing_private_is_left()

    def _assert_old_words(self, others: set[str], heard: Mapping[str, str]) -> None:
        """Of a version that was replaced: a broken one took its place, or the newer one's words came first."""
        assert self._keeps or others == set()
        sets = {path.rpartition(".")[0] for path in others}
        assert others == {f"{stem}.{suffix}" for stem in sets for suffix in ("json", "srt")}
        assert {heard[f"{stem}.json"] for stem in sets} <= {sha256(data) for data in self.versions}

    def _assert_paid_once(self, good: Mapping[str, bytes]) -> None:
        """What was replaced may have been heard before it was."""
        billed = self._lab.billed()
        assert not (twice := [content for content, times in billed.items() if times > 1]), twice
        spoken = {sha256(data) for data in good.values() if not data.startswith(SILENT)}
        assert spoken <= set(billed) <= {sha256(data) for data in self.versions}
        assert self._lab.ledger("SELECT count(*) FROM batch WHERE paid_twice IS NOT NULL") == [(0,)]


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def _last_event(log: Path) -> str:
    lines = log.read_text().splitlines()
    return lines[-1].partition('"event": "')[2].partition('"')[0] if lines else "nothing"
