"""Where the daemon's threads run, and the programs that it starts."""

import os

import pytest

from dropscribe.processors import LARGE
from lab import Daemon, Lab, eventually, files_below
from refusing import refusing

ALL = len(os.sched_getaffinity(0))

pytestmark = pytest.mark.skipif(ALL < 2, reason="there is one processor")


def processors(daemon: Daemon) -> set[frozenset[int]]:
    """Of all its threads."""
    threads = [int(thread) for thread in os.listdir(f"/proc/{daemon.process.pid}/task")]
    return {frozenset(os.sched_getaffinity(thread)) for thread in threads}


def test_all_threads_of_a_daemon_share_a_processor_and_a_command_has_all_of_them(lab: Lab) -> None:
    lab.configure(notify={"command": ["/bin/sh", "-c", "nproc >> nproc; cat > /dev/null"]})
    with lab.start() as daemon:
        lab.drop("small.mp3")
        lab.drop("large.mp3", bytes(LARGE))
        eventually(lambda: len(files_below(lab.done)) == 2)
        eventually(lambda: len(processors(daemon)) == 1)  # a thread that works on a large file comes back
        eventually((lab.root / "nproc").exists)

        [where] = processors(daemon)
        assert len(where) == 1
        assert daemon.stop() == 0
    assert {int(line) for line in (lab.root / "nproc").read_text().split()} == {ALL}


def test_a_daemon_that_cannot_be_moved_works_where_it_is(lab: Lab) -> None:
    """As in a container whose processors are changed while it runs."""
    with lab.start() as daemon, refusing(daemon.process.pid, "sched_setaffinity", "EINVAL"):
        lab.drop("large.mp3", bytes(LARGE))
        eventually((lab.done / "large.mp3").exists)
        assert daemon.stop() == 0
