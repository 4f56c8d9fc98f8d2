"""The model disk loses all that it may lose, and nothing else."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from power.calls import Call
from power.disk import BYTES, LUCKY, NAMES, STRICT, Disk, File, Mood, Wreck, whim, wrecks

ROOT = b"/lab"
LONG = b"words " * 300


def after(mood: Mood, *calls: Call) -> Wreck:
    """A disk with the folders a and b and the file a/old, cut after these calls."""
    return disk_after(calls).cut(mood)


def disk_after(calls: Iterable[Call]) -> Disk:
    disk = Disk(ROOT)
    disk.stock(b"/lab/a/old", File(b"old"))
    disk.stock(b"/lab/b/old", File(b"other"))
    for call in calls:
        disk.apply(call)
    return disk


def contents(wreck: Wreck) -> dict[bytes, bytes]:
    return {path.removeprefix(b"/lab/"): remains.content for path, remains in wreck.files.items()}


def written(path: bytes, data: bytes = LONG) -> tuple[Call, Call]:
    return Call("create", path), Call("write", path, data=data)


BEFORE = {b"a/old": b"old", b"b/old": b"other"}
NEW = written(b"/lab/a/new")


def test_what_was_there_before_stays() -> None:
    assert contents(after(STRICT)) == BEFORE


def test_without_a_sync_neither_name_nor_bytes_are_sure() -> None:
    assert contents(after(STRICT, *NEW)) == BEFORE
    assert contents(after(NAMES, *NEW)) == BEFORE | {b"a/new": b""}
    assert contents(after(LUCKY, *NEW)) == BEFORE | {b"a/new": LONG}


def test_a_file_that_was_synced_is_lost_with_its_name() -> None:
    synced = (*NEW, Call("sync", b"/lab/a/new", begun=2))

    assert contents(after(STRICT, *synced)) == BEFORE
    assert contents(after(NAMES, *synced)) == BEFORE | {b"a/new": LONG}


def test_a_name_that_was_synced_may_lead_to_nothing() -> None:
    wreck = after(STRICT, *NEW, Call("sync", b"/lab/a", begun=2))

    assert contents(wreck) == BEFORE | {b"a/new": b""}
    assert not wreck.files[b"/lab/a/new"].whole


def test_bytes_may_be_torn_and_may_be_zeros() -> None:
    calls = (*NEW, Call("sync", b"/lab/a", begun=2))

    left = {contents(wreck)[b"a/new"] for _, wreck in wrecks(disk_after(calls), map(whim, range(40)))}

    assert left == {b"", LONG, bytes(len(LONG)), LONG[:512]}


def test_a_sync_confirms_what_had_ended_when_it_began() -> None:
    late = (*NEW, Call("write", b"/lab/a/new", offset=len(LONG), data=b"late"), Call("sync", b"/lab/a/new", begun=2))

    assert contents(after(NAMES, *late))[b"a/new"] == LONG


def test_a_rename_between_folders_is_whole_or_not_at_all_and_one_sync_is_enough() -> None:
    moved = Call("rename", b"/lab/a/old", b"/lab/b/moved")
    there = {b"b/moved": b"old", b"b/old": b"other"}

    assert {frozenset(contents(after(whim(seed), moved))) for seed in range(20)} == {
        frozenset(BEFORE),
        frozenset(there),
    }
    for folder in (b"/lab/a", b"/lab/b"):
        assert contents(after(STRICT, moved, Call("sync", folder, begun=1))) == there


def test_two_changes_of_one_name_stay_in_order() -> None:
    hidden, moved = Call("rename", b"/lab/a/old", b"/lab/a/.old"), Call("rename", b"/lab/a/.old", b"/lab/b/moved")

    left = {tuple(contents(after(whim(seed), hidden, moved))) for seed in range(30)}

    assert left == {(b"a/old", b"b/old"), (b"a/.old", b"b/old"), (b"b/moved", b"b/old")}
    assert b"b/moved" in contents(after(STRICT, hidden, moved, Call("sync", b"/lab/b", begun=2)))


def test_changes_of_different_names_survive_in_any_combination() -> None:
    first, second = written(b"/lab/a/1", b""), written(b"/lab/a/2", b"")

    left = {frozenset(contents(after(whim(seed), *first, *second))) - set(BEFORE) for seed in range(40)}

    assert left == {frozenset(), frozenset({b"a/1"}), frozenset({b"a/2"}), frozenset({b"a/1", b"a/2"})}


def test_a_removed_name_may_come_back_until_its_folder_is_synced() -> None:
    gone = Call("unlink", b"/lab/a/old")

    assert contents(after(STRICT, gone)) == BEFORE
    assert contents(after(STRICT, gone, Call("sync", b"/lab/a", begun=1))) == {b"b/old": b"other"}


def test_a_folder_without_a_durable_name_takes_all_with_it() -> None:
    inner = (Call("mkdir", b"/lab/a/c"), *written(b"/lab/a/c/new"))
    synced = (*inner, Call("sync", b"/lab/a/c/new", begun=3), Call("sync", b"/lab/a/c", begun=3))

    assert contents(after(STRICT, *synced)) == BEFORE
    assert contents(after(STRICT, *synced, Call("sync", b"/lab/a", begun=5))) == BEFORE | {b"a/c/new": LONG}


def test_a_file_that_is_cut_off_unsynced_may_have_its_old_length() -> None:
    shorter = Call("resize", b"/lab/a/old", size=1)

    assert contents(after(STRICT, shorter))[b"a/old"] == b"old"
    assert contents(after(BYTES, shorter))[b"a/old"] == b"o"


@given(st.integers(0, 10_000))
def test_what_was_synced_survives_every_whim(seed: int) -> None:
    confirmed = (*NEW, Call("sync", b"/lab/a/new", begun=2), Call("sync", b"/lab/a", begun=3))

    left = after(whim(seed), *confirmed, Call("write", b"/lab/b/old", data=b"OTHER"), *written(b"/lab/b/new"))

    assert contents(left)[b"a/new"] == LONG
    assert len(contents(left)[b"b/old"]) == len(b"other")
