"""Every entry of an inbox is either a candidate or ignored for a reason that a person understands."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.names import included, is_private, not_media_reason
from dropscribe.scan import Candidate, Ignored, Rules, classify, inspect, walk
from plain_user import plain_user_folder

RULES = Rules(["*"], [".*", "*.part", "*.tmp", "*.crdownload", "~*"])


def put(root: Path, path: bytes, content: bytes = b"sound") -> None:
    full = os.path.join(os.fsencode(root), path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(content)


def candidates(root: Path, skip: tuple[Path, ...] = (), rules: Rules = RULES) -> set[bytes]:
    return {entry.path for entry in walk(root, skip, rules) if isinstance(entry, Candidate)}


def reasons(root: Path, skip: tuple[Path, ...] = (), rules: Rules = RULES) -> dict[bytes, str]:
    return {entry.path: entry.reason for entry in walk(root, skip, rules, explain=True) if isinstance(entry, Ignored)}


def test_files_of_any_name_at_any_depth_are_found(tmp_path: Path) -> None:
    paths = {b"a.mp3", b"x/y/z/b.WAV", b"line\nbreak.m4a", b"\xff\xfe/\x80.flac", b"n" * 251 + b".mp3"}
    for path in paths:
        put(tmp_path, path)

    assert candidates(tmp_path) == paths
    assert reasons(tmp_path) == {}


def test_a_candidate_carries_the_look_of_its_file(tmp_path: Path) -> None:
    put(tmp_path, b"a/talk.mp3", b"12345")

    (entry,) = walk(tmp_path, (), RULES)

    seen = os.stat(tmp_path / "a/talk.mp3")
    assert isinstance(entry, Candidate)
    assert (entry.look.size, entry.look.mtime_ns, entry.look.inode) == (5, seen.st_mtime_ns, seen.st_ino)


def test_what_is_no_regular_file_stays_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, b"real.mp3")
    os.symlink(tmp_path / "real.mp3", tmp_path / "link.mp3")
    os.symlink("nowhere", tmp_path / "dangling.mp3")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("talk.wav")

        assert reasons(tmp_path) == {
            b"link.mp3": "symlink",
            b"dangling.mp3": "symlink",
            b"pipe": "fifo",
            b"talk.wav": "socket",
        }
        assert candidates(tmp_path) == {b"real.mp3"}


def test_a_device_stays_and_says_why() -> None:
    entry = classify(b"null.mp3", os.stat("/dev/null"), RULES)

    assert isinstance(entry, Ignored) and entry.reason == "device"


def test_names_and_sizes_that_are_not_taken_say_why(tmp_path: Path) -> None:
    for path in (b"notes.txt", b"README", b"talk.mp3.part", b".hidden.mp3", b".dropscribe-1.tmp", b"~x.mp3"):
        put(tmp_path, path)
    put(tmp_path, b"empty.mp3", b"")
    put(tmp_path, b"meeting-1.mp3")

    found = reasons(tmp_path, rules=Rules(["talk*"], RULES.exclude))

    assert found == {
        b"notes.txt": "unsupported",
        b"README": "unsupported",
        b"talk.mp3.part": "excluded",
        b".hidden.mp3": "excluded",
        b".dropscribe-1.tmp": "private",
        b"~x.mp3": "excluded",
        b"empty.mp3": "not-included",
        b"meeting-1.mp3": "not-included",
    }


def test_an_empty_file_waits_because_it_may_still_be_written(tmp_path: Path) -> None:
    put(tmp_path, b"empty.mp3", b"")

    (entry,) = walk(tmp_path, (), RULES, explain=True)

    assert isinstance(entry, Ignored)
    assert entry.reason == "empty" and "being written" in entry.sentence


def test_a_file_too_large_for_the_model_is_still_a_candidate(tmp_path: Path) -> None:
    put(tmp_path, b"film.mkv")
    os.truncate(tmp_path / "film.mkv", 3 * 1024**3)

    assert candidates(tmp_path) == {b"film.mkv"}


def test_excluded_folders_are_one_entry_and_not_entered(tmp_path: Path) -> None:
    put(tmp_path, b".git/talk.mp3")
    put(tmp_path, b"a/.cache/talk.mp3")
    put(tmp_path, b"raw/old/talk.mp3")
    put(tmp_path, b"raw/talk.mp3")
    rules = Rules(["*"], [".*", "raw/old"])

    assert reasons(tmp_path, rules=rules) == {b".git": "excluded", b"a/.cache": "excluded", b"raw/old": "excluded"}
    assert candidates(tmp_path, rules=rules) == {b"raw/talk.mp3"}


def test_without_explain_ignored_entries_are_not_told(tmp_path: Path) -> None:
    put(tmp_path, b"notes.txt")
    put(tmp_path, b"empty.mp3", b"")
    os.symlink("nowhere", tmp_path / "link.mp3")
    put(tmp_path, b".git/talk.mp3")

    assert list(walk(tmp_path, (), RULES)) == []


def test_our_own_folders_inside_the_inbox_are_not_scanned_also_through_a_link(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    for path in (b"done/a.mp3", b"x/outbox/a.mp3", b"x/a.mp3"):
        put(inbox, path)
    os.symlink(inbox / "done", tmp_path / "done-by-link")
    skip = (tmp_path / "done-by-link", inbox / "x/outbox", inbox / "not-there-yet")

    assert candidates(inbox, skip) == {b"x/a.mp3"}
    assert reasons(inbox, skip) == {b"done": "own-folder", b"x/outbox": "own-folder"}


def test_an_outbox_that_is_the_inbox_does_not_hide_the_inbox(tmp_path: Path) -> None:
    put(tmp_path, b"a.mp3")
    put(tmp_path, b"x/b.mp3")

    assert candidates(tmp_path, (tmp_path,)) == {b"a.mp3", b"x/b.mp3"}


def test_folders_reached_by_links_are_not_entered(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    put(tmp_path, b"elsewhere/a.mp3")
    inbox.mkdir()
    os.symlink(tmp_path / "elsewhere", inbox / "a")
    os.symlink(inbox, inbox / "loop")

    assert candidates(inbox) == set()
    assert reasons(inbox) == {b"a": "symlink", b"loop": "symlink"}


def test_a_missing_inbox_is_never_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(walk(tmp_path / "inbox", (), RULES))
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "inbox", b"talk.mp3", (), RULES)


def test_a_folder_that_vanishes_midway_is_told_and_the_walk_goes_on(tmp_path: Path) -> None:
    for path in (b"first.mp3", b"gone/a.mp3", b"here/b.mp3"):
        put(tmp_path, path)
    entries: Iterator[Candidate | Ignored] = walk(tmp_path, (), RULES)

    assert next(entries).path == b"first.mp3"
    os.rename(tmp_path / "gone", tmp_path.parent / "moved away")
    rest = list(entries)

    assert {entry.path for entry in rest if isinstance(entry, Candidate)} == {b"here/b.mp3"}
    assert [(entry.path, entry.reason) for entry in rest if isinstance(entry, Ignored)] == [(b"gone", "unreadable")]


def test_a_folder_without_read_permission_is_told_even_without_explain() -> None:
    with plain_user_folder() as inbox:
        put(inbox, b"closed/a.mp3")
        put(inbox, b"open/b.mp3")
        os.chmod(inbox / "closed", 0)

        found = {entry.path: entry for entry in walk(inbox, (), RULES)}
        one = inspect(inbox, b"closed/a.mp3", (), RULES)

    closed = found[b"closed"]
    assert isinstance(closed, Ignored) and closed.reason == "unreadable"
    assert isinstance(one, Ignored) and one.reason == "unreadable"
    assert isinstance(found[b"open/b.mp3"], Candidate)


def test_a_walk_leaves_no_descriptor_open(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path, b"%d/a/b.mp3" % number)
    before = len(os.listdir("/proc/self/fd"))

    list(walk(tmp_path, (), RULES))

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_very_deep_tree_is_walked(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 8, dir_fd=folder)
        inner = os.open("d" * 8, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(os.open("deep.mp3", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)

    (entry,) = walk(tmp_path, (), RULES, explain=True)

    assert entry.path.count(b"/") == 300


def test_one_path_is_judged_as_the_walk_judges_it(tmp_path: Path) -> None:
    for path in (b"a.mp3", b"x/notes.txt", b".git/b.mp3", b"x/done/c.mp3", b"x/d.mp3"):
        put(tmp_path, path)
    skip = (tmp_path / "x/done",)

    def verdict(path: bytes) -> str:
        entry = inspect(tmp_path, path, skip, RULES)
        return entry.reason if isinstance(entry, Ignored) else type(entry).__name__

    assert verdict(b"a.mp3") == verdict(b"x/d.mp3") == "Candidate"
    assert verdict(b"x/notes.txt") == "unsupported"
    assert verdict(b".git/b.mp3") == "excluded"
    assert verdict(b"x/done/c.mp3") == "own-folder"
    assert verdict(b"x") == "folder"
    assert verdict(b"gone.mp3") == verdict(b"nowhere/gone.mp3") == "NoneType"


NAMES = st.sampled_from(
    [
        "a.mp3",
        ".mp3",
        "..mp3",
        ".a.mp3",
        "A.MP3",
        "b.Wav",
        "x.txt",
        "a.mp3\n",
        "\n.mp3",
        "mp3",
        "a.",
        "~a.mp3",
        "a..mp3",
    ]
)
STRANGE_NAMES = st.sampled_from(["a.mp3.part", ".dropscribe-1.mp3", "\udcff.mp3", "a.m\u212av", "raw.mp3", "[x].mp3"])
PATTERNS = st.lists(
    st.sampled_from(["*", ".*", "~*", "a*", "*.part", "raw/*", "/raw", "raw/a*", "r?w", "*/a.mp3", "[[]*"])
)


@given(st.lists(st.sampled_from(["raw", "x", "raw.mp3"]), max_size=2), NAMES | STRANGE_NAMES, PATTERNS, PATTERNS)
def test_the_compiled_rules_say_what_the_names_module_says(
    folders: list[str], name: str, include: list[str], exclude: list[str]
) -> None:
    rules = Rules(include, exclude)
    path = os.fsencode("/".join([*folders, name]))

    entered = [
        not rules.excludes("".join(f"{above}/" for above in folders[:depth]), folder)
        for depth, folder in enumerate(folders)
    ]
    taken = all(entered) and rules.takes("".join(f"{folder}/" for folder in folders), name)

    expected = included(path, include, exclude).included and not is_private(path)
    assert taken == (expected and not_media_reason(os.fsencode(name)) is None)


def test_a_recording_that_is_being_moved_says_how_to_have_it_taken_anew(tmp_path: Path) -> None:
    put(tmp_path, b".dropscribe-0123456789ab-7.moving")

    [entry] = walk(tmp_path, (), RULES, explain=True)

    assert isinstance(entry, Ignored) and "give it a name of its own" in entry.sentence
