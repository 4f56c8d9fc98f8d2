"""Folders and disks in trouble: nothing is lost, nothing is created anew, and nobody else waits."""

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from disks import bound, mount, remount, small_disk, unmount
from lab import Lab, files_below, sha256
from troubles.table import is_clean, trouble
from troubles.test_lost_submits import delivered

AREA = "Folders and disks"


async def test_an_inbox_that_is_unmounted_after_the_upload_is_an_alarm_and_no_withdrawal(lab: Lab) -> None:
    name = "The inbox's disk is unmounted between upload and submit, for an hour"
    with bound(lab.root / "disk", lab.inbox):
        async with trouble(lab, AREA, name, "umount; the empty mount point remains") as case:
            lab.configure(batch={"max_wait": "60s"})
            lab.drop("talk.mp3")
            async with case.start() as days:
                await days.until(lambda: days.logged("file.uploaded"))
                unmount(lab.inbox)
                await days.passes(hours=1)
                await days.until(is_clean(lab))
                await case.sees("scope.opened", scope=f"folder:{lab.inbox}")
                assert days.logged("source.withdrawn") == []
                assert files_below(lab.inbox) == {}
                mount("--bind", lab.root / "disk", lab.inbox)
                await days.until(delivered(lab, "talk.mp3"))


@pytest.mark.parametrize("which", ["outbox", "done", "failed"])
async def test_a_folder_that_is_read_only_waits_and_is_delivered_to_later(lab: Lab, which: str) -> None:
    name = f"{which}/ is read-only for an hour"
    folder = getattr(lab, which)
    billed = "nothing" if which == "failed" else "once"
    with small_disk(folder):
        async with trouble(lab, AREA, name, "remount `ro`", billed) as case:
            remount(folder, "ro")
            lab.drop("talk.mp3", b"BROKEN:DECODE_ERROR" if which == "failed" else b"words")
            async with case.start() as days:
                await days.until(lambda: days.logged("scope.opened"))
                await days.passes(hours=1)
                await days.until(is_clean(lab))
                await case.sees("scope.opened", scope=f"folder:{folder}")
                assert (lab.inbox / "talk.mp3").exists()
                remount(folder, "rw")
                await days.until(lambda: days.logged("file.delivered") or days.logged("file.failed"))
                await days.until(lambda: days.logged("scope.closed"))
        assert not (lab.inbox / "talk.mp3").exists()


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


async def test_a_file_that_grows_for_minutes_is_taken_once_when_it_is_whole(lab: Lab) -> None:
    name = "A recorder appends to its file every 20 s, for ten minutes, and closes it each time"
    async with trouble(lab, AREA, name, "the inbox's `settle` is 30 s") as case:
        lab.configure({"settle": "30s", "rescan": "10s"})
        whole = lab.drop("talk.mp3", b"beginning ")
        async with case.start() as days:
            for n in range(30):
                whole += (part := b"%d " % n)
                append(lab.inbox / "talk.mp3", part)
                await days.passes(minutes=1 / 3, step=5)
            assert days.logged("file.taken") == []
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("file.delivered")
    assert dict(lab.billed()) == {sha256(whole): 1}


async def test_a_ledger_whose_disk_fails_to_write_waits_and_loses_nothing(lab: Lab) -> None:
    name = "Writing the ledger fails with I/O errors"
    async with trouble(lab, AREA, name, "a file size limit on the process, lifted later") as case:
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.taken"))
            with no_file_grows():
                await days.until(lambda: days.logged("scope.opened", scope="ledger"))
                await case.sees("scope.opened", scope="ledger")
                assert lab.calls("submit") == 0
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("scope.closed", scope="ledger")


@contextmanager
def no_file_grows() -> Iterator[None]:
    """Every write that makes a file larger fails, as on a disk that is broken; SQLite says `disk I/O error`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_state_folder_that_is_taken_away_stops_everything_that_would_be_forgotten(lab: Lab) -> None:
    name = "The state folder is moved away while the daemon runs, for an hour"
    async with trouble(lab, AREA, name, "the folder is renamed") as case:
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.taken"))
            lab.state.rename(lab.root / "aside")
            await days.until(lambda: days.logged("scope.opened", scope="ledger"))
            await days.passes(hours=1)
            assert lab.calls("submit") == 0
            await case.sees("scope.opened", scope="ledger")
            (lab.root / "aside").rename(lab.state)
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("scope.closed", scope="ledger")


async def test_a_foreign_file_where_an_output_should_go_is_never_overwritten(lab: Lab) -> None:
    name = "Somebody's file stands where an output should go"
    async with trouble(lab, AREA, name, "`talk.srt` appears while the file is recognised") as case:
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("batch.submitted"))
            lab.outbox.mkdir(exist_ok=True)
            (lab.outbox / "talk.srt").write_bytes(b"by hand")
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("file.delivered")

    assert set(lab.outputs()) == {"talk.srt", "talk.mp3.json", "talk.mp3.srt"}
    assert lab.outputs()["talk.srt"] == b"by hand"


@pytest.mark.parametrize("moment", ["file.taken", "file.uploaded", "batch.submitted"])
@pytest.mark.parametrize("what", ["deleted", "truncated", "replaced", "renamed"])
async def test_a_source_that_changes_at_any_step_is_never_mistaken(lab: Lab, moment: str, what: str) -> None:
    paid = moment == "batch.submitted"
    name = f"The source is {what} after `{moment}`"
    billed = "once" if paid or what != "deleted" else "nothing"
    async with trouble(lab, AREA, name, what, billed) as case:
        lab.configure(batch={"max_wait": "20s"})
        first = lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged(moment))
            later = change(lab, what)
            expected = {sha256(data) for data in ([first] if paid else []) + ([later] if later is not None else [])}
            deliveries = len(expected) + (paid and what == "renamed")
            await days.until(lambda: set(lab.heard().values()) == expected)
            await days.passes(minutes=2)
            await days.until(is_clean(lab))
            await case.sees("file.delivered" if expected else "source.withdrawn", times=max(1, deliveries))

    assert set(lab.heard().values()) == expected
    kept = {sha256(data) for data in files_below(lab.done).values()}
    assert kept == ({sha256(later)} if later is not None else set()), "only what was heard is moved"
    assert files_below(lab.inbox) == {} and files_below(lab.failed) == {}


def change(lab: Lab, what: str) -> bytes | None:
    """What lies in the inbox afterwards."""
    talk = lab.inbox / "talk.mp3"
    match what:
        case "deleted":
            talk.unlink()
            return None
        case "truncated":
            os.truncate(talk, 5)
        case "replaced":
            talk.unlink()
            lab.drop("talk.mp3", b"other words")
        case "renamed":
            talk.rename(lab.inbox / "renamed.mp3")
            return (lab.inbox / "renamed.mp3").read_bytes()
    return talk.read_bytes()


async def test_a_keep_library_that_meets_an_empty_ledger_buys_nothing_again(lab: Lab) -> None:
    name = "The state folder of a keep library is lost"
    async with trouble(lab, AREA, name, "the ledger is deleted") as case:
        lab.configure(inbox={"done": "keep"})
        for n in range(3):
            lab.drop(f"{n}.mp3")
        async with case.start() as days:
            await days.until(lambda: len(days.logged("file.delivered")) == 3)
            await days.until(is_clean(lab))
        shutil.rmtree(lab.state)
        async with case.start() as days:
            await days.until(lambda: len(days.logged("file.adopted")) == 3)
            await case.sees("file.adopted", path="0.mp3")
    assert lab.calls("submit") == 1
