"""The source of an upload: the very file that was taken, open for reading; or whose fault it is that it is not."""

import errno
import os

from dropscribe.config.settings import InboxSettings
from dropscribe.disk.faults import is_disk_fault
from dropscribe.disk.sources import folder_at, look_of_stat, open_source
from dropscribe.errors import OutOfOrder, SourceChanged, TryLater
from dropscribe.folders import unusable
from dropscribe.house import House
from dropscribe.ledger.rows import Source

GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})
"""What a file that vanished, or was replaced by a link or a pipe, answers to being opened."""
ITS_OWN = frozenset({errno.EACCES, errno.EPERM, errno.EIO})
"""What may be one file's own fault, where its folder is in order."""


class Unreadable(Exception):
    """One source cannot be read; another copy of the same content may do."""

    def __init__(self, fault: OutOfOrder | TryLater) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Opener:
    """Opens sources wherever they lie. Blocking; for threads."""

    def __init__(self, house: House) -> None:
        self._house = house

    def open(self, source: Source) -> int:
        """A descriptor of the very file that was taken.

        Raises:
            SourceChanged: it is gone, or another one.
            Unreadable: it, or its inbox, is out of order.
        """
        inbox = self._house.inboxes.get(source.inbox)
        if inbox is None:
            raise SourceChanged("its inbox is not configured any more")
        try:
            fd = open_source(inbox.inbox, source.path)
        except OSError as error:
            raise self.trouble(source, error) from error
        try:
            require_unchanged(fd, source)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                raise self.trouble(source, error) from error
            if (fault := self._folder_fault(inbox)) is not None:
                raise Unreadable(fault) from error
            raise
        return fd

    def trouble(self, source: Source, error: OSError) -> Exception:
        """What an error of one source means: its folder is looked at first, for an unmounted one looks empty."""
        inbox = self._house.inboxes[source.inbox]
        if (fault := self._folder_fault(inbox)) is not None:
            return Unreadable(fault)
        if error.errno in GONE:
            return SourceChanged("it vanished before it was submitted")
        what = error.strerror or type(error).__name__
        if error.errno not in ITS_OWN and is_disk_fault(error):
            return Unreadable(unusable(inbox.inbox, error))
        return Unreadable(TryLater("SourceUnreadable", f"the file cannot be read: {what}"))

    def _folder_fault(self, inbox: InboxSettings) -> OutOfOrder | None:
        try:
            self._house.guard(inbox.inbox).check()
            with folder_at(inbox.inbox) as folder:
                os.stat(".", dir_fd=folder)
        except OutOfOrder as fault:
            return fault
        except OSError as error:
            return unusable(inbox.inbox, error)
        return None


def require_unchanged(fd: int, source: Source) -> None:
    """Raises SourceChanged, OSError."""
    if look_of_stat(os.fstat(fd)) != source.look:
        raise SourceChanged("another file, or other content, was put in its place before it was submitted")
