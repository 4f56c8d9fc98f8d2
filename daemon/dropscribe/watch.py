"""Hints that something came into an inbox, and how far they can be trusted. The only home of watchdog.

Events are hints: the kernel's queue overflows, folders move in faster than they are watched, network file systems
give none. The rescan is the truth; a hint only makes it faster, and a doubt asks for one at once.
"""

import contextlib
import errno
import hashlib
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyFullEmitter
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)
from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper
from watchdog.utils import BaseThread

from dropscribe.mounts import NETWORK_FILESYSTEMS
from dropscribe.names import PRIVATE_PREFIX, display, is_private

Mode = Literal["events", "polling"]

PROBE_PREFIX = PRIVATE_PREFIX + b"probe-"
STRETCH = 500
"""Where events are proven, a rescan may take one part in this many of the time: a fifth of a percent."""

# Only what completes a file: a narrow kernel mask keeps the queue from overflowing when thousands are dropped at once.
_EVENTS: list[type[FileSystemEvent]] = [FileClosedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent]


# After each file that is renamed or moved out, and each source goes that way, watchdog holds all events back for half a
# second, for the other half of a pair. Both halves come in one reading of the queue, and only folders want them.
InotifyMoveEventGrouper.delay = 0.05


def _is_news(record: logging.LogRecord) -> bool:
    """watchdog calls it an error that a watch was stopped while an event was on its way, and a warning that a folder
    which came with its files is watched once and not twice.
    """
    return "thread is inactive" not in str(record.msg)


logging.getLogger("watchdog.observers.inotify").addFilter(_is_news)
warnings.filterwarnings("ignore", message="Callback with id .* already exists for watch", category=RuntimeWarning)


def watch_mode(configured: Literal["auto", "events", "polling"], filesystem: str) -> Mode:
    """`auto` polls where changes come from other machines, of which this kernel tells nothing."""
    if configured != "auto":
        return configured
    return "polling" if filesystem in NETWORK_FILESYSTEMS else "events"


def probe_name(ledger_id: str, inbox: str) -> bytes:
    """The name of a probe file: always the same, so that what a death leaves behind is found again."""
    return PROBE_PREFIX + hashlib.sha256(f"{ledger_id} {inbox}".encode()).hexdigest()[:12].encode()


def is_probe(path: bytes) -> bool:
    """Whether a path within an inbox is a probe."""
    return path.startswith(PROBE_PREFIX)


def send_probe(root: Path, name: bytes) -> None:
    """Create and remove the probe file in `root`: its event must arrive. Raises OSError, also for a read-only inbox."""
    path = os.path.join(os.fsencode(root), name)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    os.unlink(path)


def remove_probe(root: Path, name: bytes) -> None:
    """What a daemon that died between the two has left; none is fine, as is an inbox that is not ours to write."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(os.fsencode(root), name))


class RescanPace:
    """How long to wait until the next rescan. Pure: costs and the monotonic clock are given.

    `base` seconds; where the event of a probe has arrived and nothing has been doubted since, up to `STRETCH` times
    the cost of the last scan. `patience` is how long the event of a probe may take.
    """

    def __init__(self, base: float, patience: float = 10.0) -> None:
        self._base = base
        self._patience = patience
        self._cost = 0.0
        self._proven = False
        self._probe: tuple[bytes, float] | None = None

    @property
    def interval(self) -> float:
        """Seconds from the end of one scan to the next; never below `base`."""
        return max(self._base, STRETCH * self._cost) if self._proven else self._base

    def scanned(self, cost: float) -> None:
        """A whole scan took `cost` seconds."""
        self._cost = cost

    def probe_sent(self, name: bytes, now: float) -> None:
        """A probe is on its way; one that has not arrived yet keeps its time."""
        if self._probe is None:
            self._probe = name, now

    def saw(self, path: bytes) -> bool:
        """An event came. True if it was a probe's, and so is no file; the one that was awaited proves the events."""
        if self._probe is not None and self._probe[0] == path:
            self._probe, self._proven = None, True
        return is_probe(path)

    def stalled(self, now: float) -> bool:
        """Whether a probe's event is overdue; then events count as doubted until a probe arrives."""
        overdue = self._probe is not None and now - self._probe[1] > self._patience
        if overdue:
            self._probe = None
            self.doubt()
        return overdue

    def doubt(self) -> None:
        """Events were lost, or may have been."""
        self._proven = False


class FolderWatch:
    """Events below one inbox. Both callbacks are called in watchdog's threads and must neither block nor raise.

    `on_path` gets paths within the inbox: files that were closed after writing or moved in, and probes.
    `on_doubt` gets a sentence: events were lost or may have been, so a rescan is due. With `polling` there are no
    events at all. A watch that ended is begun anew by `stop` and `start`.
    """

    def __init__(
        self, root: Path, mode: Mode, on_path: Callable[[bytes], None], on_doubt: Callable[[str], None]
    ) -> None:
        self._root = root
        self._mode = mode
        self._on_path = on_path
        self._on_doubt = on_doubt
        self._observer: _Observer | None = None
        self._blind = False

    @property
    def wanted(self) -> bool:
        """Whether there are to be events at all (not with `polling`)."""
        return self._mode == "events"

    @property
    def trusted(self) -> bool:
        """Whether every folder is watched and all threads run; where not, the rescan must not be stretched."""
        return self._observer is not None and not self._blind and self._observer.is_whole()

    def start(self) -> None:
        """Watch the inbox and every folder below it; what prevents it is told as a doubt. Blocks for a large tree."""
        if self._mode == "polling" or self._observer is not None:
            return
        self._blind = False
        try:
            self._observer = self._new_observer()
            self._observer.start()
        except OSError as error:
            self.stop()
            if not self._blind:
                self._lose_sight(_limit(error, self._root))

    def _new_observer(self) -> "_Observer":
        # The root may be a link, which inotify would watch in the place of the folder.
        real = os.path.realpath(self._root)
        observer = _Observer(_Descriptor(self._lose_sight, self._on_doubt, self._ended), self._ended)
        observer.watch(_Handler(os.fsencode(real), self._on_path, self._on_doubt), real)
        return observer

    def stop(self) -> None:
        """End all threads; a watch that was not started is fine."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            if observer.ident is not None:
                observer.join()

    def _lose_sight(self, reason: str) -> None:
        self._blind = True
        self._on_doubt(reason)

    def _ended(self) -> None:
        if self._observer is not None:
            self._lose_sight(f"the watch on {self._root} ended; until it is begun anew only the rescan sees new files")


class _Handler(FileSystemEventHandler):
    """Events to paths within the root."""

    def __init__(self, root: bytes, on_path: Callable[[bytes], None], on_doubt: Callable[[str], None]) -> None:
        self._prefix = root.rstrip(b"/") + b"/"
        self._on_path = on_path
        self._on_doubt = on_doubt

    def dispatch(self, event: FileSystemEvent) -> None:
        moved = isinstance(event, DirMovedEvent | FileMovedEvent)
        path = os.fsencode(event.dest_path if moved else event.src_path)
        if not path.startswith(self._prefix):
            return  # moved out of the inbox
        inside = path[len(self._prefix) :]
        if event.is_directory:
            self._on_doubt(f"the folder {display(inside)} is new: files may have come before it was watched")
        elif is_probe(inside) or not is_private(inside):
            self._on_path(inside)


class _Reporting(BaseThread):
    """A thread whose end is told, however it ends: watchdog's own die silently."""

    on_end: Callable[[], None]

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.on_end()


class _Descriptor(_Reporting, InotifyFD):
    """One inotify instance that tells what watchdog only logs or swallows."""

    def __init__(
        self, lose_sight: Callable[[str], None], on_doubt: Callable[[str], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__()
        self._lose_sight = lose_sight
        self._on_doubt = on_doubt
        self._limit_told = False
        self.on_end = on_end

    def handle_event(self, event: InotifyEvent) -> None:
        super().handle_event(event)
        if event.is_queue_overflow:
            self._on_doubt("the kernel's queue of file events overflowed (fs.inotify.max_queued_events): some are lost")
        elif event.mask & InotifyConstants.IN_UNMOUNT:
            self._lose_sight("a file system below the watched folder was unmounted")

    def add_callback(self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId) -> WatchDescriptor:
        try:
            descriptor = super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # it is gone again
                self._tell_limit(error, path)
            raise
        if descriptor == -1:  # watchdog lets EACCES pass
            self._tell_limit(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), path)
        return descriptor

    def _tell_limit(self, error: OSError, path: bytes) -> None:
        if not self._limit_told:  # once: of a large tree, thousands of folders may be beyond the limit
            self._limit_told = True
            self._lose_sight(_limit(error, os.fsdecode(path)))


class _Emitter(_Reporting, InotifyFullEmitter):
    """The full emitter, because the plain one calls a file that was moved in merely created."""

    def __init__(self, *args: Any, on_end: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_end = on_end


class _Observer(_Reporting, BaseObserver):
    """watchdog's InotifyObserver with the classes above."""

    def __init__(self, descriptor: _Descriptor, on_end: Callable[[], None]) -> None:
        super().__init__(_Emitter, inotify_fd=descriptor, on_end=on_end)
        self.on_end = on_end
        self._descriptor = descriptor

    def watch(self, handler: FileSystemEventHandler, root: str) -> None:
        self.schedule(handler, root, recursive=True, event_filter=_EVENTS)

    def on_thread_start(self) -> None:
        self._descriptor.start()
        super().on_thread_start()

    def on_thread_stop(self) -> None:
        super().on_thread_stop()
        self._descriptor.stop()
        if self._descriptor.ident is not None:
            self._descriptor.join()

    def is_whole(self) -> bool:
        threads = [self, self._descriptor, *self.emitters]
        return len(threads) > 2 and all(thread.is_alive() for thread in threads)


def _limit(error: OSError, folder: Path | str) -> str:
    hint = {
        errno.ENOSPC: "; raise fs.inotify.max_user_watches",
        errno.EMFILE: "; raise fs.inotify.max_user_instances or the limit of open files",
    }.get(error.errno or 0, "")
    shown = display(os.fsencode(folder))
    return f"{shown} can not be watched ({error.strerror}){hint}; until then only the rescan sees new files there"
