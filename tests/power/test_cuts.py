"""The power goes at any moment of a run, and the disk takes it as badly as it may: nothing is lost, nothing paid twice.

The real daemon is run once and every call that changes its folders is recorded by strace. Then, for the moment after
each of these calls, the disks that a power cut there may leave are worked out (see `power.disk`), and what has to be
true of each is looked at as it lies there. For each boundary that the code declares, each such disk is made real, the
stand-in for the cloud goes back to what it held then, and the real daemon is started on it: the books must balance.

A shim in the process (LD_PRELOAD, a patched `os`) would not see SQLite's own writes, or need a compiler; FUSE and
device mapper need a kernel that has them, and give the one state that their own order of writing makes. Recorded calls
give all states that any file system may make. Studied: ALICE (OSDI 2014), CrashMonkey (OSDI 2018), SQLite's test6.c.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import pytest

import dropscribe.service  # noqa: F401 - imports every room, so that all steps are declared
from dropscribe.boundaries import all_boundaries
from dropscribe.sandbox import running_sandbox
from lab import FAST, Lab
from power.calls import Call
from power.disk import BYTES, NAMES, STRICT, Mood, whim, wrecks
from power.promises import Promises
from power.rebuild import rebuild
from power.record import Recording, Stop, record
from power.scenes import SCENES, Scene

pytestmark = pytest.mark.kill

ALL = "DROPSCRIBE_POWER_CUTS" in os.environ
"""`make cuts`: more passings of each boundary, and a start on each of five disks there instead of one of two kinds."""


@pytest.fixture
def museum(tmp_path: Path) -> Path:
    (tmp_path / "museum").mkdir()
    return tmp_path / "museum"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    (tmp_path / "lab").mkdir()
    with running_sandbox(FAST) as sandbox:
        yield Lab(tmp_path / "lab", sandbox, forked=True)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-power-", dir="/dev/shm"))
    assert folder.stat().st_dev != tmp_path.stat().st_dev, "the temporary folder must not lie in /dev/shm"
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", SCENES)
def test_the_books_balance_after_a_power_cut(lab: Lab, museum: Path, elsewhere: Path, name: str) -> None:
    scene = SCENES[name]
    files = scene.prepare(lab, elsewhere)
    roots = (lab.root, elsewhere)
    recording = record(lab, roots, museum, *scene.run, passings="1,2,4" if ALL else "1")
    promises = Promises(lab, recording.disk)
    stops = {stop.calls: stop for stop in _wanted(scene, recording, lab)}
    assert stops, recording.errors

    for moment, call in enumerate(recording.calls, 1):
        recording.disk.apply(call)
        promises.saw(call)
        for mood, wreck in wrecks(recording.disk, _moods(moment) if call.kind != "write" else ()):
            assert promises.broken(wreck) == [], f"{mood.name}, after {call.kind} of {call.path!r}"
        if stop := stops.get(moment):
            for mood, wreck in wrecks(
                recording.disk, _moods(moment) if ALL else (STRICT,) if moment % 2 else (whim(moment),)
            ):
                rebuild(roots, wreck)
                lab.sandbox.restore(stop.cloud)
                if scene.run[0] != "run":
                    lab.call(*scene.run)  # a person tries again what did not come to its end
                after = lab.run_once()
                where = f"{mood.name}, at {stop.boundary}\n{after.stderr[-3000:]}"
                assert after.returncode in (0, 2), where
                _judge(scene, lab, files, where)


def _wanted(scene: Scene, recording: Recording, lab: Lab) -> Sequence[Stop]:
    """Where the daemon is started again; a command that never speaks to the cloud may be cut after any call."""
    if scene.run[0] != "run":
        cloud = lab.sandbox.save()
        return [Stop(call.kind, moment, cloud) for moment, call in enumerate(recording.calls, 1)]
    return [stop for stop in recording.stops if scene.steps(stop.boundary.partition(":")[0])]


def _moods(moment: int) -> tuple[Mood, ...]:
    return (STRICT, NAMES, BYTES, whim(2 * moment), whim(2 * moment + 1))


def _judge(scene: Scene, lab: Lab, files: dict[str, bytes], where: str) -> None:
    try:
        scene.judge(lab, files)
    except AssertionError as error:
        raise AssertionError(f"{where}\n{error}") from error


def test_the_recorded_calls_lead_to_what_stands_on_the_real_disk(lab: Lab, museum: Path) -> None:
    SCENES["everyday, files"].prepare(lab, museum)
    recording = record(lab, (lab.root,), museum, "run", "--once")

    for call in recording.calls:
        recording.disk.apply(call)

    there = {os.fsencode(path): path.read_bytes() for path in lab.root.rglob("*") if path.is_file()}
    assert {path: remains.content for path, remains in recording.disk.now().files.items()} == there
    passed = {stop.boundary.rpartition(":")[0] for stop in recording.stops}
    assert passed == {
        f"{step}:{phase}"
        for step, phase in all_boundaries()
        if SCENES["everyday, files"].steps(step) or SCENES["everyday, cloud"].steps(step)
    }


def test_a_disk_that_lies_about_its_syncs_is_found_out(lab: Lab, museum: Path) -> None:
    """The judge is judged: were the syncs of one folder not made, promises would be broken, and it would be seen."""
    SCENES["everyday, files"].prepare(lab, museum)
    recording = record(lab, (lab.root,), museum, "run", "--once")

    found = {folder.name: _broken_by_a_lie(lab, recording, folder) for folder in (lab.outbox, lab.done, lab.state)}

    assert all(found.values()), found


def _broken_by_a_lie(lab: Lab, recording: Recording, folder: Path) -> list[str]:
    disk = deepcopy(recording.disk)
    promises, broken = Promises(lab, disk), []
    for call in recording.calls:
        lies = call.kind == "sync" and call.path.startswith(os.fsencode(folder))
        disk.apply(Call("mark", b"") if lies else call)
        promises.saw(call)
        broken += promises.broken(disk.cut(STRICT)) if call.kind == "mark" else []
    return broken
