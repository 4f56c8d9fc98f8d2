"""Which files that lie in an inbox are to be taken."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from clocks import FakeClock
from dropscribe import boundaries
from dropscribe.config.settings import InboxSettings
from dropscribe.folders import FolderGuard
from dropscribe.intake import ErrorFiles, Intake, is_new
from dropscribe.ledger.rows import KnownMedia, Taken
from dropscribe.model import Look, MediaState
from dropscribe.watch import FolderWatch
from houses import furnished

TAKEN = Look(size=5, mtime_ns=1, inode=7)
OTHERS = [Look(6, 1, 7), Look(5, 2, 7), Look(5, 1, 8)]


def known(state: MediaState) -> KnownMedia:
    return KnownMedia(1, TAKEN, state, b"/failed/a.mp3.error.json")


def stands(_known: KnownMedia) -> bool:
    return True


def is_gone(_known: KnownMedia) -> bool:
    return False


@pytest.mark.parametrize("keeps", [True, False])
def test_a_path_never_seen_is_new(keeps: bool) -> None:
    assert is_new(TAKEN, None, keeps, stands)


@pytest.mark.parametrize(
    ("state", "kept", "moved"),
    [
        ("waiting", False, False),
        ("due", False, False),
        ("delivering", False, False),
        ("failing", False, False),
        ("delivered", False, True),
        ("failed", False, True),
        ("withdrawn", True, True),
    ],
)
def test_the_very_file_that_was_taken_is_new_again_only_if_it_should_not_lie_there(
    state: MediaState, kept: bool, moved: bool
) -> None:
    assert is_new(TAKEN, known(state), True, stands) is kept
    assert is_new(TAKEN, known(state), False, stands) is moved


@pytest.mark.parametrize("look", OTHERS, ids=["size", "mtime", "inode"])
@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("state", ["waiting", "due", "delivering", "failing", "delivered", "failed", "withdrawn"])
def test_another_file_in_its_place_is_new_whatever_became_of_the_first(
    state: MediaState, keeps: bool, look: Look
) -> None:
    assert is_new(look, known(state), keeps, stands)


def test_a_failed_file_that_was_kept_is_tried_again_when_its_error_file_is_taken_away() -> None:
    assert not is_new(TAKEN, known("failed"), True, stands)
    assert is_new(TAKEN, known("failed"), True, is_gone)


def test_an_error_file_is_missing_only_where_its_folder_is_in_order(tmp_path: Path) -> None:
    marks: dict[bytes, str] = {}
    failed = tmp_path / "failed"
    guard = FolderGuard(failed, marks.get, marks.__setitem__)
    guard.check()
    media = KnownMedia(1, TAKEN, "failed", os.fsencode(failed / "a.mp3.error.json"))
    assert not ErrorFiles(guard).stands(media)

    failed.rmdir()
    assert ErrorFiles(guard).stands(media), "an unmounted folder says nothing"

    failed.mkdir()
    (failed / "a.mp3.error.json").touch()
    assert ErrorFiles(guard).stands(media)


def test_a_folder_that_hangs_keeps_nothing_from_being_taken(tmp_path: Path) -> None:
    hangs = threading.Event()
    marks: dict[bytes, str] = {}

    def known(path: bytes) -> str | None:
        if path == os.fsencode(tmp_path / "done"):
            hangs.wait()
        return marks.get(path)

    async def take() -> list[bytes]:
        taken: asyncio.Queue[bytes] = asyncio.Queue()
        on_taken = lambda _, file: taken.put_nowait(file.path)  # noqa: E731
        with furnished(tmp_path) as house, ThreadPoolExecutor(2) as threads:
            house.guard = lambda folder: FolderGuard(folder, known, marks.__setitem__)
            running = asyncio.create_task(Intake("talks", house, lambda: [], threads, on_taken, None).run())
            try:
                return [await asyncio.wait_for(taken.get(), 20.0)]
            finally:
                hangs.set()
                running.cancel()

    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/talk.mp3").write_bytes(b"sound")

    assert asyncio.run(take()) == [b"talk.mp3"]


def test_a_folder_that_comes_while_a_scan_runs_does_not_wait_for_the_next_rescan(tmp_path: Path) -> None:
    """The scan has passed its place already when the event says that it is new."""
    marks: dict[bytes, str] = {}
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/talk.mp3").write_bytes(b"sound")

    async def waited() -> float:
        """Seconds until its file is taken."""
        loop = asyncio.get_running_loop()
        taken: asyncio.Queue[float] = asyncio.Queue()
        scans, came = 0, 0.0

        def skip() -> list[Path]:
            nonlocal scans
            scans += 1
            return []

        def guard(folder: Path) -> FolderGuard:
            nonlocal came
            if scans == 2 and folder.name == "failed" and not came:  # this scan has seen all that it will see
                (tmp_path / "inbox/new").mkdir()
                (tmp_path / "inbox/new/late.mp3").write_bytes(b"late sound")
                came = house.clock.monotonic()
                said = threading.Event()
                loop.call_soon_threadsafe(lambda: (intake.doubt("the folder is new"), said.set()))
                said.wait(20.0)
            return FolderGuard(folder, marks.get, marks.__setitem__)

        def on_taken(_: str, file: Taken) -> None:
            if file.path == b"new/late.mp3":
                taken.put_nowait(house.clock.monotonic())

        with furnished(tmp_path) as house, ThreadPoolExecutor(2) as threads:
            house.guard = guard
            watch = lambda inbox, *calls: FolderWatch(inbox.inbox, "polling", *calls)  # noqa: E731
            intake = Intake("talks", house, skip, threads, on_taken, watch)
            running = asyncio.create_task(intake.run())
            try:
                return await asyncio.wait_for(taken.get(), 20.0) - came
            finally:
                running.cancel()

    assert asyncio.run(waited()) < 30.0, "it settles for 5 s; a rescan comes after 60 s"


async def test_what_an_intake_writes_down_while_a_reload_ends_it_is_told_all_the_same(tmp_path: Path) -> None:
    """The next intake knows the file already, and so would tell nobody of it."""
    loop, marks = asyncio.get_running_loop(), dict[bytes, str]()
    taken: asyncio.Queue[bytes] = asyncio.Queue()
    busy, done = threading.Event(), threading.Event()

    def hold_up(_: Connection) -> None:
        busy.set()
        done.wait(20.0)

    def at_boundary(step: str, phase: str) -> None:
        if (step, phase) == ("intake.take", "before"):
            threading.Thread(target=house.ledger.do_now, args=(hold_up,)).start()
            busy.wait(20.0)  # what is written next waits
            loop.call_soon(running.cancel)

    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/talk.mp3").write_bytes(b"sound")
    boundaries.observe(at_boundary)
    with furnished(tmp_path) as house, ThreadPoolExecutor(2) as threads:
        house.guard = lambda folder: FolderGuard(folder, marks.get, marks.__setitem__)
        on_taken = lambda _, file: taken.put_nowait(file.path)  # noqa: E731
        running = asyncio.create_task(Intake("talks", house, lambda: [], threads, on_taken, None).run())
        try:
            await asyncio.wait({running}, timeout=20.0)
            assert taken.empty()
            done.set()
            assert await asyncio.wait_for(taken.get(), 5.0) == b"talk.mp3"
        finally:
            boundaries.observe(None)
            done.set()
            running.cancel()


async def test_events_of_more_files_than_may_settle_at_once_do_not_wait_for_the_next_rescan(tmp_path: Path) -> None:
    clock, marks, moments = FakeClock(), dict[bytes, str](), list[float]()
    all_taken = asyncio.Event()
    (tmp_path / "inbox").mkdir()

    def drop(name: str) -> None:
        (tmp_path / "inbox" / name).write_bytes(os.fsencode(name))
        intake.hint(os.fsencode(name))

    def on_taken(_: str, __: Taken) -> None:
        moments.append(clock.monotonic())
        if len(moments) == 1:  # the next rescan comes in most of a minute
            for name in ("1.mp3", "2.mp3", "3.mp3"):
                drop(name)
        if len(moments) == 4:
            all_taken.set()

    with furnished(tmp_path, clock) as house, ThreadPoolExecutor(2) as threads:
        house.guard = lambda folder: FolderGuard(folder, marks.get, marks.__setitem__)
        watch = lambda inbox, *calls: FolderWatch(inbox.inbox, "polling", *calls)  # noqa: E731
        intake = Intake("talks", house, lambda: [], threads, on_taken, watch, capacity=1)
        drop("first.mp3")
        running = asyncio.create_task(intake.run())
        try:
            await asyncio.wait_for(all_taken.wait(), 20.0)
        finally:
            running.cancel()

    assert moments[-1] - moments[0] < 30.0, "each settles for 5 s"


class HalfBlind(FolderWatch):
    """There is a folder that it cannot watch, as `lost+found` of a disk; it says so each time it is begun, until it is
    begun for the `sees_at`th time.
    """

    times, sees_at = 0, 1_000_000
    in_between: Callable[[], None] = staticmethod(lambda: None)
    """Called when it begins to see, just before."""

    @property
    def trusted(self) -> bool:
        return self.times >= self.sees_at

    def start(self) -> None:
        self.times += 1
        if self.trusted:
            self.in_between()
        else:
            self._on_doubt("lost+found can not be watched")

    def stop(self) -> None:
        """Nothing runs."""


@dataclass
class Watched:
    """An inbox with such a watch, on a clock that jumps."""

    root: Path
    clock: FakeClock = field(default_factory=FakeClock)
    scans: int = 0
    taken_at: float | None = None

    async def until(self, enough: Callable[[], bool], sees_at: int, in_between: Callable[[], None]) -> None:
        """Take files until it is `enough`."""
        loop, marks, end = asyncio.get_running_loop(), dict[bytes, str](), asyncio.Event()

        def look(_: object = None) -> list[Path]:
            if enough():
                loop.call_soon_threadsafe(end.set)
            return []

        def skip() -> list[Path]:
            self.scans += 1
            return look()

        def watch(inbox: InboxSettings, on_path: Callable[[bytes], None], on_doubt: Callable[[str], None]) -> HalfBlind:
            built = HalfBlind(inbox.inbox, "events", on_path, partial(loop.call_soon_threadsafe, on_doubt))
            built.sees_at, built.in_between = sees_at, in_between  # type: ignore[method-assign]
            return built

        def on_taken(_: str, __: Taken) -> None:
            self.taken_at = self.clock.monotonic()
            look()

        with furnished(self.root, self.clock) as house, ThreadPoolExecutor(2) as threads:
            house.guard = lambda folder: FolderGuard(folder, marks.get, marks.__setitem__)
            running = asyncio.create_task(Intake("talks", house, skip, threads, on_taken, watch).run())
            try:
                await asyncio.wait_for(end.wait(), 20.0)
            finally:
                running.cancel()


async def test_a_folder_that_cannot_be_watched_is_no_reason_to_scan_without_a_rest(tmp_path: Path) -> None:
    inbox = Watched(tmp_path)

    await inbox.until(lambda: inbox.scans == 12, 1_000_000, lambda: None)

    assert inbox.clock.monotonic() > 9 * 60.0, "a rescan comes after 60 s"


async def test_what_comes_while_a_watch_is_begun_anew_does_not_wait_for_the_next_rescan(tmp_path: Path) -> None:
    """Nobody watches between the end of the old one and the beginning of the new one."""
    inbox = Watched(tmp_path)
    came = list[float]()

    def drop() -> None:
        (tmp_path / "inbox/talk.mp3").write_bytes(b"sound")
        came.append(inbox.clock.monotonic())

    await inbox.until(lambda: inbox.taken_at is not None, 3, drop)

    assert inbox.taken_at is not None
    assert inbox.taken_at - came[0] < 30.0, "it settles for 5 s; a rescan comes after 60 s"
