"""What moves, or is deleted, is the very file that was heard; done twice, nothing happens twice."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dropscribe.boundaries import observe
from dropscribe.disk.sources import Stopped, look_at
from dropscribe.dispose import (
    REPLACED,
    VANISHED,
    Disposal,
    MoveTo,
    Remove,
    Stay,
    Way,
    is_there,
    private_name,
    send_source_away,
    still_fits,
)
from dropscribe.ledger.rows import OwedMedia
from dropscribe.model import Look
from examples import owed_media

SOUND = b"what was heard"
LEDGER = "0123456789ab"


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Desk:
    inbox: Path
    done: Path
    media: OwedMedia

    @property
    def source(self) -> Path:
        return self.inbox / os.fsdecode(self.media.path)

    @property
    def hidden(self) -> Path:
        return self.source.parent / os.fsdecode(private_name(self.media.media_id, LEDGER))

    def to(self, name: str = "a/talk.mp3", resuming: bool = False) -> MoveTo:
        return MoveTo(self.done, os.fsencode(self.done / name), resuming)

    def send(self, way: Way) -> Disposal:
        return send_source_away(self.inbox, self.media, way, LEDGER)

    def replace_source(self, content: bytes = b"something newer") -> None:
        aside = self.inbox / "aside"
        aside.write_bytes(content)
        aside.replace(self.source)

    def die_at(self, step: str, phase: str, way: Way) -> None:
        """The process is killed at this instant of sending the source away."""

        def killer(name: str, passed: str) -> None:
            if (name, passed) == (step, phase):
                raise Killed

        observe(killer)
        try:
            with pytest.raises(Killed):
                self.send(way)
        finally:
            observe(None)

    def files(self) -> dict[str, bytes]:
        """Every file in inbox and done, with its content."""
        top = self.inbox.parent
        return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


@pytest.fixture(params=[b"a/talk.mp3", b"a/\xff\n.mp3"], ids=["plain", "odd"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    inbox, done = tmp_path / "inbox", tmp_path / "done"
    (inbox / "a").mkdir(parents=True)
    done.mkdir()
    path = request.param
    (inbox / os.fsdecode(path)).write_bytes(SOUND)
    look = look_at(inbox, path)
    assert isinstance(look, Look)
    yield Desk(inbox, done, owed(path, look))


def owed(path: bytes, look: Look) -> OwedMedia:
    return owed_media(inbox="in", path=path, look=look, sha256=hashlib.sha256(SOUND).hexdigest())


def test_a_source_that_is_kept_stays(desk: Desk) -> None:
    before = desk.files()

    assert desk.send(Stay()) == Disposal(True)

    assert desk.files() == before


def test_the_source_moves_to_its_place(desk: Desk) -> None:
    assert desk.send(desk.to()) == Disposal(True)

    assert desk.files() == {"done/a/talk.mp3": SOUND}


def test_the_source_is_deleted(desk: Desk) -> None:
    assert desk.send(Remove()) == Disposal(True)

    assert desk.files() == {}


@pytest.mark.parametrize("way", ["move", "delete"])
def test_a_file_that_was_put_in_its_place_stays_under_its_name(desk: Desk, way: str) -> None:
    desk.replace_source()
    before = desk.files()
    touched: list[str] = []
    observe(lambda name, phase: touched.append(name))
    try:
        assert desk.send(desk.to() if way == "move" else Remove()) == Disposal(True, REPLACED)
    finally:
        observe(None)

    assert desk.files() == before and touched == []


@pytest.mark.parametrize("way", ["move", "delete"])
def test_a_file_that_was_rewritten_in_place_stays(desk: Desk, way: str) -> None:
    with desk.source.open("ab") as file:
        file.write(b" and more")

    assert desk.send(desk.to() if way == "move" else Remove()) == Disposal(True, REPLACED)

    assert list(desk.files().values()) == [SOUND + b" and more"] and desk.source.exists()


@pytest.mark.parametrize("way", ["move", "delete"])
def test_a_source_that_vanished_is_told_and_nothing_else_happens(desk: Desk, way: str) -> None:
    desk.source.unlink()

    assert desk.send(desk.to() if way == "move" else Remove()) == Disposal(True, VANISHED)

    assert desk.files() == {}


@pytest.mark.parametrize("way", ["move", "delete"])
def test_a_link_put_in_its_place_is_not_followed_and_stays(desk: Desk, way: str) -> None:
    target = desk.inbox / "theirs.mp3"
    target.write_bytes(SOUND)
    desk.source.unlink()
    desk.source.symlink_to(target)

    desk.send(desk.to() if way == "move" else Remove())

    assert desk.source.is_symlink() and target.read_bytes() == SOUND


@pytest.mark.parametrize("way", ["move", "delete"])
def test_a_file_put_in_its_place_at_the_last_moment_gets_its_name_back(desk: Desk, way: str) -> None:
    def swap(name: str, phase: str) -> None:
        if (name, phase) == ("source.hide", "before"):
            desk.replace_source()

    observe(swap)
    try:
        assert desk.send(desk.to() if way == "move" else Remove()) == Disposal(True, REPLACED)
    finally:
        observe(None)

    assert desk.source.read_bytes() == b"something newer" and not desk.hidden.exists()


def test_where_something_newer_took_the_name_meanwhile_a_file_comes_back_under_the_next(desk: Desk) -> None:
    def swap(name: str, phase: str) -> None:
        if (name, phase) == ("source.hide", "before"):
            desk.replace_source(b"second")
        if (name, phase) == ("source.hide", "effect"):
            desk.source.write_bytes(b"third")

    observe(swap)
    try:
        assert desk.send(desk.to()) == Disposal(True, REPLACED)
    finally:
        observe(None)

    assert desk.source.read_bytes() == b"third"
    assert desk.source.with_name(f"{desk.source.stem}~2.mp3").read_bytes() == b"second"
    assert not desk.hidden.exists() and len(desk.files()) == 2


def test_a_name_taken_in_this_moment_is_never_replaced_and_another_is_asked_for(desk: Desk) -> None:
    (desk.done / "a").mkdir()
    (desk.done / "a/talk.mp3").write_bytes(b"theirs")

    assert desk.send(desk.to()) == Disposal(False)
    assert desk.send(desk.to("a/talk~2.mp3")) == Disposal(True)

    assert desk.files() == {"done/a/talk.mp3": b"theirs", "done/a/talk~2.mp3": SOUND}


def test_something_in_the_way_of_a_folder_is_named_and_the_source_waits(desk: Desk) -> None:
    (desk.done / "a").write_bytes(b"a file, where a folder is needed")

    gone = desk.send(desk.to())

    assert not gone.final and gone.reason is not None and "a folder is needed here" in gone.reason
    (desk.done / "a").unlink()
    assert desk.send(desk.to()) == Disposal(True) and desk.files() == {"done/a/talk.mp3": SOUND}


DEATHS = [("source.hide", "before"), ("source.hide", "effect"), ("source.move", "before"), ("source.move", "effect")]


@pytest.mark.parametrize(("step", "phase"), DEATHS)
def test_a_move_goes_on_after_a_death_at_any_instant(desk: Desk, step: str, phase: str) -> None:
    desk.die_at(step, phase, desk.to())

    assert desk.send(desk.to(resuming=True)) == Disposal(True)

    assert desk.files() == {"done/a/talk.mp3": SOUND}


def test_a_copy_that_stood_at_its_recorded_place_before_a_death_is_ours(desk: Desk) -> None:
    desk.die_at("source.hide", "effect", desk.to())
    (desk.done / "a").mkdir()
    (desk.done / "a/talk.mp3").write_bytes(SOUND)  # copied to another disk, and the original not removed yet

    assert desk.send(desk.to(resuming=True)) == Disposal(True)

    assert desk.files() == {"done/a/talk.mp3": SOUND}


def test_a_file_of_the_same_content_that_nobody_recorded_is_not_ours(desk: Desk) -> None:
    (desk.done / "a").mkdir()
    (desk.done / "a/talk.mp3").write_bytes(SOUND)

    assert desk.send(desk.to()) == Disposal(False)
    desk.hidden.unlink()
    assert desk.send(desk.to()) == Disposal(True, VANISHED)


@pytest.mark.parametrize(("step", "phase"), DEATHS)
def test_a_new_file_in_the_inbox_survives_a_move_that_is_resumed(desk: Desk, step: str, phase: str) -> None:
    desk.die_at(step, phase, desk.to())
    before_hiding = (step, phase) == DEATHS[0]
    desk.replace_source()

    gone = desk.send(desk.to(resuming=True))

    assert gone == Disposal(True, REPLACED if before_hiding else None)
    assert desk.source.read_bytes() == b"something newer" and not desk.hidden.exists()


@pytest.mark.parametrize(("step", "phase"), DEATHS)
def test_a_deletion_goes_on_after_a_death_at_any_instant(desk: Desk, step: str, phase: str) -> None:
    desk.die_at(step, phase, Remove())

    assert desk.send(Remove()).final

    assert desk.files() == {}


def test_a_source_hidden_before_a_death_comes_back_when_it_is_to_be_kept_now(desk: Desk) -> None:
    desk.die_at("source.hide", "effect", desk.to())
    assert not desk.source.exists()

    assert desk.send(Stay()) == Disposal(True)

    assert desk.source.read_bytes() == SOUND and not desk.hidden.exists()


def test_a_name_that_a_source_gets_back_is_to_be_synced_before_the_file_is_final(desk: Desk) -> None:
    """Under its private name nobody would look for it any more."""
    desk.die_at("source.hide", "effect", desk.to())

    assert send_source_away(desk.inbox, desk.media, Stay(), LEDGER, unsynced := {}) == Disposal(True)

    assert unsynced == {os.fsencode(desk.source.parent): desk.inbox}


def test_a_hidden_source_that_was_changed_after_a_death_comes_back(desk: Desk) -> None:
    desk.die_at("source.hide", "effect", desk.to())
    desk.hidden.write_bytes(b"changed by a program that had it open")

    assert desk.send(desk.to(resuming=True)) == Disposal(True, REPLACED)

    assert desk.source.read_bytes() == b"changed by a program that had it open" and len(desk.files()) == 1


def test_the_hidden_name_belongs_to_one_file_of_one_ledger(desk: Desk) -> None:
    names = {private_name(7, LEDGER), private_name(8, LEDGER), private_name(7, "ba9876543210")}

    assert len(names) == 3 and private_name(7, LEDGER) in names


def test_a_missing_inbox_is_a_fault_of_the_folder_and_not_a_vanished_source(desk: Desk) -> None:
    desk.inbox.rename(desk.inbox.with_name("unmounted"))

    with pytest.raises(FileNotFoundError):
        desk.send(desk.to())


@pytest.mark.parametrize(
    ("content", "fits"),
    [(None, True), (SOUND, True), (b"what was hurt!", False), (b"shorter", False)],
    ids=["nothing there", "the very content", "same size", "other size"],
)
def test_a_recorded_target_is_used_on_if_it_is_free_or_holds_this_very_source(
    desk: Desk, content: bytes | None, fits: bool
) -> None:
    target = desk.done / "talk.mp3"
    if content is not None:
        target.write_bytes(content)

    assert still_fits(desk.media, target.parent, os.fsencode(target)) is fits
    assert is_there(desk.media, target.parent, os.fsencode(target)) is (fits and content is not None)


def test_a_target_in_a_folder_of_an_earlier_configuration_is_used_on_only_where_the_source_has_arrived(
    desk: Desk, tmp_path: Path
) -> None:
    """That folder may be full, gone, or not mounted, and nobody looks after it any more."""
    target = tmp_path / "earlier/talk.mp3"
    assert not still_fits(desk.media, desk.done, os.fsencode(target))
    target.parent.mkdir()
    assert not still_fits(desk.media, desk.done, os.fsencode(target))

    target.write_bytes(SOUND)
    assert still_fits(desk.media, desk.done, os.fsencode(target))


def test_a_link_at_a_recorded_target_is_not_this_source(desk: Desk) -> None:
    target = desk.done / "talk.mp3"
    target.symlink_to(desk.source)

    assert not still_fits(
        replace(desk.media, look=Look(os.lstat(target).st_size, 0, 0)), target.parent, os.fsencode(target)
    )


def test_a_failed_source_whose_look_hides_a_change_waits_instead_of_being_taken_for_ever(
    desk: Desk, tmp_path: Path
) -> None:
    """Only a copy to another file system reads it again."""
    if not os.access("/dev/shm", os.W_OK) or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    desk.media = replace(desk.media, state="failing", sha256="00" * 32)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as far:
        disposal = desk.send(MoveTo(Path(far), os.fsencode(far) + b"/talk.mp3", False))

    assert not disposal.final and "content changed" in (disposal.reason or "")
    assert desk.source.read_bytes() == SOUND


def test_a_source_whose_copying_is_stopped_lies_where_it_lay(desk: Desk) -> None:
    with tempfile.TemporaryDirectory(prefix="dropscribe-done-", dir="/dev/shm") as far:
        assert os.stat(far).st_dev != os.stat(desk.inbox).st_dev, "the temporary folder must not lie in /dev/shm"
        way = MoveTo(Path(far), os.fsencode(Path(far, "talk.mp3")), False)

        with pytest.raises(Stopped):
            send_source_away(desk.inbox, desk.media, way, LEDGER, {}, lambda: True)

        assert desk.source.read_bytes() == SOUND and not desk.hidden.exists()
        assert os.listdir(far) == []
