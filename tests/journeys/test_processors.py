"""Where the daemon's threads run, and the programs that it starts."""

import contextlib
import os

import pytest

from dropscribe.processors import LARGE
from lab import Daemon, Lab, eventually, files_below
from refusing import refusing

ALL = len(os.sched_getaffinity(0))

pytestmark = pytest.mark.skipif(ALL < 2, reason="there is one processor")


def shared_by_all(daemon: Daemon) -> frozenset[int] | None:
    """The processors of its threads, where all have the same."""
    found = set()
    for thread in os.listdir(f"/proc/{daemon.process.pid}/task"):
        with contextlib.suppress(ProcessLookupError):  # it has ended
            found.add(frozenset(os.sched_getaffinity(int(thread))))
    return found.pop() if len(found) == 1 else None


def test_all_threads_of_a_daemon_share_a_processor_and_a_command_has_all_of_them(lab: Lab) -> None:
    lab.configure(notify={"command": ["/bin/sh", "-c", "nproc >> nproc; cat > /dev/null"]})
    with lab.start() as daemon:
        lab.drop("small.mp3")
        lab.drop("large.mp3", bytes(LARGE))
        eventually(lambda: len(files_below(lab.done)) == 2)
        told = eventually(lambda: (lab.root / "nproc").exists() and (lab.root / "nproc").read_text().split())

        assert set(told) == {str(ALL)}
        assert len(eventually(lambda: shared_by_all(daemon))) == 1, "a thread that worked on a large file comes back"
        assert daemon.stop() == 0


def test_a_daemon_that_cannot_be_moved_works_where_it_is(lab: Lab) -> None:
    """As in a container whose processors are changed while it runs."""
    with lab.start() as daemon, refusing(daemon.process.pid, "sched_setaffinity", "EINVAL"):
        lab.drop("large.mp3", bytes(LARGE))
        eventually((lab.done / "large.mp3").exists)
        assert daemon.stop() == 0
