"""Folders that a thread keeps open while it works on one group of files.

A file is looked at, hidden, proved and placed through descriptors of its folders. Opened anew for each of these steps,
the folders would take most of the calls that a small file costs.

Within the block a thread goes on in the folders that it has once reached, as it would within one step: who exchanges
one of them meanwhile leads it nowhere else. So a block lasts for one group, and what follows is looked up anew.
"""

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST = 16
"""Descriptors a block; more than a single step ever uses at a time, few enough for many inboxes at once."""


class _Kept(threading.local):
    folders: "OrderedDict[object, int] | None" = None


_kept = _Kept()


@contextmanager
def folders_kept_open() -> Iterator[None]:
    """Within the block (or the function that it decorates), this thread opens each folder once."""
    if _kept.folders is not None:  # within another block, which lasts longer
        yield
        return
    _kept.folders = OrderedDict()
    try:
        yield
    finally:
        folders, _kept.folders = _kept.folders, None
        for descriptor in folders.values():
            _let_go(descriptor)


@contextmanager
def borrowed(folder: object, open_it: Callable[[], int]) -> Iterator[int]:
    """The descriptor that `open_it` gives for `folder` (what tells it from others): the block's, where there is one."""
    folders = _kept.folders
    if folders is None:
        descriptor = open_it()
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        return
    if folder not in folders:
        folders[folder] = open_it()
        if len(folders) > MOST:
            _let_go(folders.popitem(last=False)[1])
    folders.move_to_end(folder)
    yield folders[folder]


def _let_go(descriptor: int) -> None:
    """A share that broke meanwhile may refuse even this; what counts is how the work in it has ended."""
    with contextlib.suppress(OSError):
        os.close(descriptor)
