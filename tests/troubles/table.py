"""A trouble, from what is injected to what is billed; each is a row of docs/troubles.md, written by the test itself.

A row says what the test saw: the very log line, and the sandbox's bill. The document must hold exactly this row;
`DROPSCRIBE_WRITE_TROUBLES=1` writes the document anew (see `test_table`).

Every trouble also begins with an object and an unfinished upload of somebody else's under the same prefix, and ends
with exactly these two in the bucket.
"""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structlog.typing import EventDict

from dropscribe.config import load
from dropscribe.remote.oss import OssStore
from lab import Lab
from timelapse import Days, living

DOCUMENT = Path(__file__).parents[2] / "docs" / "troubles.md"
WRITE = "DROPSCRIBE_WRITE_TROUBLES"
STRANGERS = "dropscribe/0123456789ab/somebody-elses.mp3"
BILLED = {0: "nothing", 1: "once", 2: "twice"}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    area: str
    trouble: str
    injected: str
    seen: str
    billed: str
    test: str

    def text(self) -> str:
        cells = (self.trouble, self.injected, self.seen, self.billed, f"`{self.test}`")
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


WRITTEN: list[Row] = []


@dataclass
class Case:
    """A trouble under way."""

    lab: Lab
    area: str
    name: str
    injected: str
    billed: str
    seen: list[str] = field(default_factory=list)
    days: Days = field(init=False)

    def start(self, **how: Any) -> Any:
        """The daemon, for a `with` block; a trouble may start it several times."""
        return self._living(how)

    @asynccontextmanager
    async def _living(self, how: dict[str, Any]) -> AsyncIterator[Days]:
        async with living(self.lab, **how) as days:
            self.days = days
            yield days

    async def sees(self, event: str, times: int | None = 1, **having: object) -> EventDict:
        """What a person reads about it: logged exactly `times` times by this daemon (None: once or more often), and a
        part of the row.
        """
        if self.days.is_running:
            await self.days.until(lambda: len(self.days.logged(event, **having)) >= (times or 1))
        lines = self.days.logged(event, **having)
        assert len(lines) == (times or len(lines)), f"{event} {having}: {len(lines)} times in {self.days.log}"
        self.seen.append(_as_read(lines[0], self.lab.root))
        return lines[0]

    def shows(self, text: str, command: str = "status") -> None:
        """What a command says of it."""
        self.seen.append(f"`{command}`: {_without_numbers(text, self.lab.root)}")

    def bill(self) -> str:
        counts = self.lab.billed()
        return BILLED[max(counts.values(), default=0)]

    def row(self) -> Row:
        test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
        return Row(
            self.area, self.name, self.injected, "<br>".join(self.seen), self.billed, test.removeprefix("tests/")
        )


@asynccontextmanager
async def trouble(lab: Lab, area: str, name: str, injected: str, billed: str = "once") -> AsyncIterator[Case]:
    """One trouble. `billed`: how often the content that was billed most was billed."""
    leave_strangers(lab)
    case = Case(lab, area, name, injected, billed)
    yield case
    assert case.bill() == billed, f"{lab.billed()}; the log says {case.days.log}"
    only_strangers_are_left(lab)
    row = case.row()
    WRITTEN.append(row)
    if not os.environ.get(WRITE):
        assert row.text() in DOCUMENT.read_text(), f"docs/troubles.md does not say: {row.text()}"


def leave_strangers(lab: Lab) -> None:
    """What another instance has under the same prefix."""
    storage = load(lab.config, os.environ).storage
    store = OssStore(storage)
    with open(os.devnull, "rb") as nothing:
        store.put(STRANGERS, nothing, 0)
    store.initiate(STRANGERS)


def only_strangers_are_left(lab: Lab) -> None:
    state = lab.sandbox.state()
    assert [stored["key"] for stored in state["objects"]] == [STRANGERS]
    assert [upload["key"] for upload in state["uploads"]] == [STRANGERS]


def is_clean(lab: Lab) -> Callable[[], bool]:
    """Whether nothing of ours is left in the bucket."""
    return lambda: [stored["key"] for stored in lab.sandbox.state()["objects"]] == [STRANGERS]


def _as_read(line: EventDict, root: Path) -> str:
    """A log line as the document shows it: what differs from run to run is left out."""
    names = [f"{name} `{line[name]}`" for name in ("scope", "code", "outcome") if line.get(name)]
    rest = [str(line[name]) for name in ("message", "reason", "note", "remedy") if line.get(name)]
    text = " ".join([f"`{line['event']}`", *names]) + (f": {' → '.join(rest)}" if rest else "")
    return _without_numbers(text, root)


def _without_numbers(text: str, root: Path) -> str:
    text = re.sub("Connection reset by peer|Broken pipe", "the connection was cut", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", text.replace(str(root), "…"))
    return re.sub(r"batch \d+", "batch N", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<task>", text))


HEAD = """# When the cloud, the account, the network or the disk misbehaves

One row for each trouble: what a test injects, what a person then reads, and how often the content that was billed most
was billed. The rows are written by the tests themselves, from what they saw; a row that is not true any more fails its
test. Each of them also checks that nothing of ours is left in the bucket, and that another instance's object and
unfinished upload under the same prefix are untouched.

To write it anew: `DROPSCRIBE_WRITE_TROUBLES=1 .venv/bin/python -m pytest tests/troubles`.
"""


COLUMNS = "| trouble | injected | what a person reads | billed | test |\n|---|---|---|---|---|\n"


def is_whole() -> bool:
    """Whether every trouble was seen in this run: a part of them (one worker, `-k`) is not the document."""
    named = {
        name
        for module in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^async def (test_\w+)\(", module.read_text(), re.MULTILINE)
    }
    return named <= {row.test.partition("::")[2].partition("[")[0] for row in WRITTEN}


def write() -> None:
    """The whole document, from the rows of this run and those that other tests prove."""
    rows = [*WRITTEN, *ELSEWHERE]
    parts = [HEAD]
    for area in dict.fromkeys(row.area for row in rows):
        parts.append(f"\n## {area}\n\n{COLUMNS}")
        parts += [f"{row.text()}\n" for row in rows if row.area == area]
    DOCUMENT.write_text("".join(parts))


def _elsewhere(area: str, trouble: str, injected: str, seen: str, test: str, billed: str = "once") -> Row:
    return Row(area, trouble, injected, seen, billed, test)


FOLDERS = "Folders and disks"
ELSEWHERE: tuple[Row, ...] = (
    _elsewhere(
        FOLDERS,
        "The outbox is full",
        "a disk of 64 KB",
        "`scope.opened` scope `folder:…/outbox`: the folder cannot be used: No space left on device",
        "journeys/test_service_faults.py::test_a_full_outbox_waits_keeps_no_audio_in_the_cloud_and_stops_no_other_inbox",
    ),
    _elsewhere(
        FOLDERS,
        "The state disk is full",
        "a disk of 4 MB, filled",
        "`scope.opened` scope `ledger`; `scope.closed` when there is room; the daemon lives",
        "journeys/test_upload_faults.py::test_a_daemon_on_a_full_state_disk_waits_and_goes_on_when_there_is_room",
    ),
    _elsewhere(
        FOLDERS,
        "done/ lies on another file system",
        "a disk of its own",
        "`file.delivered`",
        "journeys/test_service_faults.py::test_a_done_folder_on_another_disk_gets_the_source_whole",
    ),
    _elsewhere(
        FOLDERS,
        "An inbox or an outbox is gone",
        "the folder is renamed",
        "`scope.opened` scope `folder:…` code `FolderMissing`: it was there before and is missing now",
        "journeys/test_sources.py::test_a_folder_that_vanished_is_an_alarm_never_made_anew_and_stops_no_other_inbox",
    ),
    _elsewhere(
        FOLDERS,
        "failed/ is gone",
        "the folder is deleted",
        "`scope.opened` scope `folder:…/failed`; what is delivered goes on",
        "journeys/test_delivery_faults.py"
        "::test_files_that_wait_for_a_missing_failed_folder_do_not_hold_up_those_that_are_delivered",
        "nothing",
    ),
    _elsewhere(
        FOLDERS,
        "A person's file stands where a folder is needed",
        "a file called like the folder",
        "`scope.opened` scope `obstacle:…`: move it away; the other files go on",
        "journeys/test_service_faults.py::test_an_obstacle_in_the_way_of_one_file_stops_no_other",
    ),
    _elsewhere(
        "Account, network and service",
        "The key may not delete",
        "delete: HTTP 403 `AccessDenied`",
        "`scope.opened` scope `deletes` code `AccessDenied`: until then objects stay in the bucket",
        "journeys/test_service_faults.py::test_a_bucket_that_refuses_deletes_is_said_once_and_stops_no_upload",
    ),
    _elsewhere(
        "Account, network and service",
        "The service can download none of the files, though the signed URLs work from here",
        "the service's own GET fails",
        "`scope.opened` scope `files:fun-asr`: 3 files in a row, none recognised between",
        "journeys/test_service_faults.py::test_downloads_that_fail_for_every_file_are_no_fault_of_the_files",
    ),
    _elsewhere(
        "Odd answers",
        "The result is larger than 256 MB",
        "a body without end",
        "`file.failed` code `ResultTooLarge`",
        "remote/test_model_studio.py::test_a_result_larger_than_allowed_is_not_kept",
    ),
    _elsewhere(
        "Lost submits",
        "The process dies at any instant around the submit",
        "`kill -9` at every boundary",
        "the next start: `batch.settled`, `task.found`, or nothing at all",
        "kill/test_boundaries.py::test_a_death_here_changes_nothing_but_the_time",
    ),
)
"""Troubles that tests with real processes, or of one module, prove."""
