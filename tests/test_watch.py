"""Events are hints; whatever makes them doubtful is told, so that a rescan finds the rest."""

import os
import queue
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dropscribe.watch import FolderWatch, Mode, RescanPace, is_probe, probe_name, send_probe, watch_mode

PROBE = probe_name("0123abcd", "talks")
PATIENCE = 10.0
HELD_BACK = 0.5
"""Seconds for which watchdog by itself holds all events back after each file that was moved out."""


class Heard:
    """What a watch has said, to be waited for."""

    def __init__(self) -> None:
        self.paths: queue.Queue[bytes] = queue.Queue()
        self.doubts: queue.Queue[str] = queue.Queue()

    def until(self, path: bytes) -> list[bytes]:
        """All paths up to and with `path`."""
        found = []
        while not found or found[-1] != path:
            found.append(self.paths.get(timeout=PATIENCE))
        return found

    def doubt(self) -> str:
        return self.doubts.get(timeout=PATIENCE)


Watching = Callable[[Path], tuple[FolderWatch, Heard]]


@pytest.fixture
def watching() -> Iterator[Watching]:
    started: list[FolderWatch] = []

    def start(root: Path, mode: Mode = "events") -> tuple[FolderWatch, Heard]:
        heard = Heard()
        watch = FolderWatch(root, mode, heard.paths.put, heard.doubts.put)
        started.append(watch)
        watch.start()
        return watch, heard

    yield start
    for watch in started:
        watch.stop()


def put(root: Path, path: bytes) -> None:
    with open(os.path.join(os.fsencode(root), path), "wb") as file:
        file.write(b"sound")


@pytest.mark.parametrize("name", [b"talk.mp3", b"line\nbreak.mp3", b"\xff\xfe\x80.mp3", b"n" * 251 + b".mp3"])
def test_a_file_that_was_written_and_closed_is_told_whatever_its_name(
    tmp_path: Path, watching: Watching, name: bytes
) -> None:
    (tmp_path / "a").mkdir()
    watch, heard = watching(tmp_path)

    put(tmp_path, b"a/" + name)

    assert heard.until(b"a/" + name) == [b"a/" + name]
    assert watch.trusted


def test_a_file_moved_in_or_renamed_is_told_under_its_new_name(tmp_path: Path, watching: Watching) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    put(tmp_path, b"outside")
    _, heard = watching(inbox)

    os.rename(tmp_path / "outside", inbox / "talk.mp3")
    heard.until(b"talk.mp3")
    os.rename(inbox / "talk.mp3", inbox / "renamed.mp3")
    heard.until(b"renamed.mp3")
    os.rename(inbox / "renamed.mp3", tmp_path / "outside")
    send_probe(inbox, PROBE)

    assert heard.until(PROBE) == [PROBE]


def test_sources_that_are_moved_out_hold_no_news_up(tmp_path: Path, watching: Watching) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    _, heard = watching(inbox)
    started = time.monotonic()

    for number in range(8):
        put(inbox, b"%d.mp3" % number)
        heard.until(b"%d.mp3" % number)
        os.rename(inbox / f"{number}.mp3", tmp_path / "done")
    put(inbox, b"last.mp3")
    heard.until(b"last.mp3")

    assert time.monotonic() - started < 8 * HELD_BACK / 2


def test_a_new_or_moved_in_folder_is_a_doubt(tmp_path: Path, watching: Watching) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "full").mkdir()
    put(tmp_path, b"full/talk.mp3")
    _, heard = watching(inbox)

    (inbox / "new").mkdir()
    assert "new" in heard.doubt()
    os.rename(tmp_path / "full", inbox / "moved")
    assert "moved" in heard.doubt()
    put(inbox, b"moved/later.mp3")
    heard.until(b"moved/later.mp3")


def test_our_own_temporary_files_are_not_told_but_probes_are(tmp_path: Path, watching: Watching) -> None:
    _, heard = watching(tmp_path)

    put(tmp_path, b".dropscribe-1.tmp")
    send_probe(tmp_path, PROBE)

    assert heard.until(PROBE) == [PROBE]
    assert os.listdir(tmp_path) == [".dropscribe-1.tmp"]


def test_an_inbox_that_is_a_link_is_watched_where_it_points_to(tmp_path: Path, watching: Watching) -> None:
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "inbox")
    _, heard = watching(tmp_path / "inbox")

    put(tmp_path / "real", b"talk.mp3")

    heard.until(b"talk.mp3")


def test_an_inbox_that_is_removed_ends_the_watch_with_a_doubt_and_it_can_be_begun_anew(
    tmp_path: Path, watching: Watching
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    watch, heard = watching(inbox)

    inbox.rmdir()
    assert "ended" in heard.doubt()
    assert not watch.trusted

    inbox.mkdir()
    watch.stop()
    watch.start()
    put(inbox, b"talk.mp3")
    heard.until(b"talk.mp3")
    assert watch.trusted


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_fails_ends_the_watch_with_a_doubt(tmp_path: Path) -> None:
    doubts: queue.Queue[str] = queue.Queue()

    def fails(path: bytes) -> None:
        raise RuntimeError("the event loop is closed")

    watch = FolderWatch(tmp_path, "events", fails, doubts.put)
    watch.start()
    put(tmp_path, b"talk.mp3")

    assert "ended" in doubts.get(timeout=PATIENCE)
    assert not watch.trusted
    watch.stop()


def test_a_missing_inbox_is_a_doubt_and_no_crash(tmp_path: Path, watching: Watching) -> None:
    watch, heard = watching(tmp_path / "missing")

    assert "missing" in heard.doubt()
    assert not watch.trusted


def test_polling_watches_nothing(tmp_path: Path) -> None:
    heard = Heard()
    watch = FolderWatch(tmp_path, "polling", heard.paths.put, heard.doubts.put)

    watch.start()
    put(tmp_path, b"talk.mp3")
    watch.stop()

    assert not watch.trusted
    assert heard.paths.empty() and heard.doubts.empty()


def test_stopping_is_silent_and_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    heard = Heard()
    watch = FolderWatch(tmp_path, "events", heard.paths.put, heard.doubts.put)

    for _ in range(3):
        watch.start()
        watch.stop()
    watch.stop()

    assert heard.doubts.empty()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_limit_of_open_files_is_a_doubt_that_says_what_to_raise(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    heard = Heard()
    watch = FolderWatch(tmp_path, "events", heard.paths.put, heard.doubts.put)
    taken = [os.open("/", os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))), limits[1]))
    try:
        while True:
            try:
                taken.append(os.open("/", os.O_RDONLY))
            except OSError:
                break
        watch.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)

    assert "max_user_instances" in heard.doubt()
    assert not watch.trusted


WATCH_AND_TELL = """
import os, sys
from pathlib import Path
from dropscribe.watch import FolderWatch
def tell(what):
    print(what, flush=True)
watch = FolderWatch(Path(sys.argv[1]), "events", lambda path: None, tell)
watch.start()
tell("trusted" if watch.trusted else "not trusted")
sys.stdin.read()
"""


def lines_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    while select.select([process.stdout], [], [], PATIENCE)[0]:
        line = process.stdout.readline()
        if words in line or not line:
            return line
    return "nothing was said"


def test_folders_beyond_the_kernels_limit_of_watches_are_a_doubt(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"folder-{number}").mkdir()
    limited = 'echo 3 > /proc/sys/user/max_inotify_watches && exec "$@"'
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c", limited, "sh"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs user namespaces to set a limit of its own")

    command = [*inside, sys.executable, "-c", WATCH_AND_TELL, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        told = lines_until(process, "max_user_watches")
        rest = lines_until(process, "trusted")
        assert process.stdin is not None
        process.stdin.close()

    assert "folder-" in told and "max_user_watches" in told
    assert rest == "not trusted\n"


@pytest.mark.kill
def test_an_overflow_of_the_kernels_queue_is_a_doubt() -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 70_000:
        pytest.skip(f"would have to write {limit} files")
    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=in_memory) as folder:
        command = [sys.executable, "-c", WATCH_AND_TELL, folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
            assert lines_until(process, "trusted") == "trusted\n"
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            names = (os.path.join(folder, "even"), os.path.join(folder, "odd"))
            for number in range(limit + 1000):
                os.close(os.open(names[number % 2], os.O_WRONLY | os.O_CREAT))  # equal events in a row are merged
            process.send_signal(signal.SIGCONT)
            told = lines_until(process, "overflowed")
            assert process.stdin is not None
            process.stdin.close()

    assert "overflowed" in told


@pytest.mark.parametrize(
    ("configured", "filesystem", "mode"),
    [
        ("auto", "ext4", "events"),
        ("auto", "nfs4", "polling"),
        ("auto", "fuse.sshfs", "polling"),
        ("events", "nfs4", "events"),
        ("polling", "ext4", "polling"),
    ],
)
def test_auto_polls_where_the_kernel_is_told_nothing(configured: str, filesystem: str, mode: str) -> None:
    assert watch_mode(configured, filesystem) == mode  # type: ignore[arg-type]  # a table of words


def proven(base: float = 60.0, cost: float = 2.0) -> RescanPace:
    pace = RescanPace(base)
    pace.scanned(cost)
    pace.probe_sent(PROBE, now=0.0)
    pace.saw(PROBE)
    return pace


def test_an_expensive_scan_is_stretched_once_a_probe_has_arrived() -> None:
    pace = RescanPace(60.0)
    pace.scanned(2.0)
    pace.probe_sent(PROBE, now=0.0)
    assert pace.interval == 60.0

    assert pace.saw(PROBE)

    assert pace.interval == 1000.0


def test_the_interval_is_never_below_its_base() -> None:
    assert proven(base=60.0, cost=0.001).interval == 60.0


def test_a_doubt_shrinks_the_interval_until_the_next_probe_arrives() -> None:
    pace = proven()

    pace.doubt()
    assert pace.interval == 60.0

    pace.probe_sent(PROBE, now=100.0)
    pace.saw(PROBE)
    assert pace.interval == 1000.0


def test_a_probe_that_does_not_arrive_in_time_is_a_stall_told_once() -> None:
    pace = proven()
    pace.probe_sent(PROBE, now=100.0)

    assert not pace.stalled(109.0)
    assert pace.stalled(111.0) and pace.interval == 60.0
    assert not pace.stalled(112.0)


def test_sending_more_probes_does_not_put_a_stall_off() -> None:
    pace = proven()
    pace.probe_sent(PROBE, now=100.0)
    pace.probe_sent(PROBE, now=109.0)

    assert pace.stalled(111.0)


def test_a_probe_is_no_file_and_a_file_proves_nothing() -> None:
    pace = RescanPace(60.0)
    pace.scanned(2.0)
    pace.probe_sent(PROBE, now=0.0)

    assert not pace.saw(b"talk.mp3")
    assert pace.saw(probe_name("0123abcd", "others"))
    assert pace.interval == 60.0
    assert is_probe(PROBE) and not is_probe(b"a/" + PROBE)


def test_a_probe_left_by_a_crash_is_used_again(tmp_path: Path) -> None:
    put(tmp_path, PROBE)

    send_probe(tmp_path, PROBE)

    assert os.listdir(tmp_path) == []
