"""What has to be durable before what, where a power cut showed that it was not."""

from pathlib import Path

import pytest

from power.disk import BYTES, NAMES, STRICT, Mood, whim
from power.record import Recording, record_script

pytestmark = pytest.mark.kill
MOODS = (STRICT, NAMES, BYTES, *map(whim, range(20)))
MARK = 'os.write(2, b"mark done")'


@pytest.fixture
def museum(tmp_path: Path) -> Path:
    (tmp_path / "museum").mkdir()
    return tmp_path / "museum"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lab").mkdir()
    return tmp_path / "lab"


def left_at_mark(recording: Recording, mood: Mood = STRICT) -> set[bytes]:
    """Folders and files that survive a cut when the script says so."""
    assert recording.code == 0, recording.errors
    for call in recording.calls:
        recording.disk.apply(call)
        if call.kind == "mark":
            wreck = recording.disk.cut(mood)
            return {*wreck.folders, *wreck.files}
    raise AssertionError("the script never came to its mark")


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_is_remembered_only_when_its_name_is_durable(root: Path, museum: Path, there: bool) -> None:
    """Else it would be missing after the cut, with what was moved there. A person's `mkdir` syncs nothing either."""
    script = f"""
import os
from pathlib import Path
from dropscribe.folders import FolderGuard
folder = Path({str(root)!r}, "a", "done")
if {there}: os.makedirs(folder)
FolderGuard(folder, lambda path: None, lambda path, mark: {MARK}).check()
"""

    assert left_at_mark(record_script(script, [root], museum)) == {bytes(root / "a"), bytes(root / "a/done")}


def test_a_new_state_folder_is_durable_before_its_ledger_is_used(root: Path, museum: Path) -> None:
    """Else what was paid would be forgotten."""
    script = f"""
import os
from pathlib import Path
from dropscribe.ledger import Ledger
Ledger(Path({str(root)!r}, "a", "state"))
{MARK}
os._exit(0)
"""

    assert bytes(root / "a/state/ledger.sqlite") in left_at_mark(record_script(script, [root], museum))


def test_an_output_is_found_although_another_try_made_its_folder_and_died(root: Path, museum: Path) -> None:
    script = f"""
import os
from pathlib import Path
from dropscribe.disk import make_folders, place, sync_way_down, write_aside
root = Path({str(root)!r})
os.makedirs(root / "a/b")
with make_folders(root, b"a/b/c") as folder:
    place(write_aside(folder, "1", b"words"), (folder, b"talk.srt"))
sync_way_down(root, b"a/b/c")
{MARK}
"""

    assert bytes(root / "a/b/c/talk.srt") in left_at_mark(record_script(script, [root], museum))


def test_a_copy_that_an_earlier_try_placed_is_made_durable_before_its_source_goes(root: Path, museum: Path) -> None:
    """That try died between placing the copy and syncing its folder: what is removed is the only file that is sure."""
    script = f"""
import hashlib, os
from pathlib import Path
from dropscribe.disk import look_of_stat, make_folders, place, place_source, write_aside
inbox, done = Path({str(root)!r}, "inbox"), Path({str(root)!r}, "done")
content = (inbox / "hidden").read_bytes()
os.makedirs(done / "a")
with make_folders(done, b"a") as folder:
    place(write_aside(folder, "1", content), (folder, b"talk.mp3"))
look = look_of_stat(os.stat(inbox / "hidden"))
digest = hashlib.sha256(content).hexdigest()
place_source(inbox, b"hidden", done, b"a/talk.mp3", look, digest, resuming=True)
{MARK}
"""
    (root / "inbox").mkdir()
    (root / "done").mkdir()
    (root / "inbox/hidden").write_bytes(b"sound")

    recording = record_script(script, [root], museum)

    for call in recording.calls:
        recording.disk.apply(call)
        for mood in MOODS:
            assert b"sound" in {one.content for one in recording.disk.cut(mood).files.values()}, (mood.name, call)
    assert left_at_mark(Recording(recording.disk, recording.calls[-1:], (), 0, "")) >= {bytes(root / "done/a/talk.mp3")}
