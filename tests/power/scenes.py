"""What is recorded: how a lab is made ready, what is run, and what must have come of it when all is over."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kill.scenarios import BROKEN, SCENARIOS, assert_all_is_in_its_place, everyday, judge_of
from lab import Lab, files_below, sha256

Prepare = Callable[[Lab, Path], dict[str, bytes]]
Judge = Callable[[Lab, dict[str, bytes]], None]


@dataclass(frozen=True)
class Scene:
    """`prepare` gets the lab and a folder on another file system; `steps` are those whose boundaries are tried here."""

    prepare: Prepare
    judge: Judge = assert_all_is_in_its_place
    run: Sequence[str] = ("run", "--once", "--patience", "10s")
    steps: Callable[[str], bool] = lambda step: True


def _of_the_kill_list(step: str) -> Scene:
    scenario = SCENARIOS.get(step, everyday)
    return Scene(lambda lab, _: scenario(lab), judge_of(step), steps=lambda passed: passed == step)


def kept_and_rewritten(lab: Lab, _: Path) -> dict[str, bytes]:
    """A library whose files stay; one was transcribed before and has been written anew since."""
    lab.configure(inbox={"done": "keep"})
    lab.drop("a/old.mp3", b"first words" * 9)
    assert lab.run_once().returncode == 0
    return {"a/old.mp3": lab.drop("a/old.mp3", b"other words" * 9), "new.mp3": lab.drop("new.mp3")}


def assert_kept(lab: Lab, files: dict[str, bytes]) -> None:
    assert files_below(lab.inbox) == files
    _assert_outputs(lab, files)
    assert dict(lab.billed()) == {sha256(data): 1 for data in (*files.values(), b"first words" * 9)}


def rewritten_while_it_fails(lab: Lab, _: Path) -> dict[str, bytes]:
    """A kept file is written anew while its first version, which will fail, is at the service."""
    lab.configure(inbox={"done": "keep"})
    lab.drop("a/talk.mp3", BROKEN)
    assert lab.run_once(kill_at="submit.post:recorded:1").returncode == -9
    return {"a/talk.mp3": lab.drop("a/talk.mp3", b"whole again" * 9)}


def assert_rewritten(lab: Lab, files: dict[str, bytes]) -> None:
    assert files_below(lab.inbox) == files
    assert files_below(lab.failed) == {}
    _assert_outputs(lab, files)
    assert dict(lab.billed()) == {sha256(data): 1 for data in files.values()}


def deleted(lab: Lab, _: Path) -> dict[str, bytes]:
    """Sources go when they are delivered."""
    lab.configure(inbox={"done": "delete"})
    return {path: lab.drop(path) for path in ("talk.mp3", "a/talk.mp3")}


def assert_deleted(lab: Lab, files: dict[str, bytes]) -> None:
    assert files_below(lab.inbox) == {}
    _assert_outputs(lab, files)
    assert dict(lab.billed()) == {sha256(data): 1 for data in files.values()}


def far_away(lab: Lab, elsewhere: Path) -> dict[str, bytes]:
    """Sources and failed ones are copied to another file system."""
    lab.done, lab.failed = elsewhere / "all" / "done", elsewhere / "failed"
    lab.configure(inbox={"done": str(lab.done), "failed": str(lab.failed)})
    return {"a/talk.mp3": lab.drop("a/talk.mp3"), "broken.m4a": lab.drop("broken.m4a", b"BROKEN:FILE_PARSE_FAILED")}


def failed_before(lab: Lab, _: Path) -> dict[str, bytes]:
    """One file failed, for a reason that is gone."""
    lab.sandbox.inject("subtask", "fail", code="FILE_PARSE_FAILED", times=1)
    files = {"a/talk.mp3": lab.drop("a/talk.mp3")}
    assert lab.run_once().returncode == 2
    return files


def failed_and_back(lab: Lab, elsewhere: Path) -> dict[str, bytes]:
    """A person has moved it back into the inbox."""
    files = failed_before(lab, elsewhere)
    os.rename(lab.failed / "a/talk.mp3", lab.inbox / "a/talk.mp3")
    return files


def _assert_outputs(lab: Lab, files: dict[str, bytes]) -> None:
    stems = {path.rsplit(".", 1)[0] for path in files}
    assert set(lab.outputs()) == {f"{stem}.{suffix}" for stem in stems for suffix in ("json", "srt")}
    assert lab.heard() == {f"{path.rsplit('.', 1)[0]}.json": sha256(data) for path, data in files.items()}
    lab.assert_bucket_is_empty()
    lab.assert_nothing_private_is_left()


def _of_files(step: str) -> bool:
    return step.startswith(("deliver.", "source.", "intake.")) and step not in SCENARIOS


SCENES = {
    "everyday, files": Scene(lambda lab, _: everyday(lab), steps=_of_files),
    "everyday, cloud": Scene(
        lambda lab, _: everyday(lab), steps=lambda step: not _of_files(step) and step not in SCENARIOS
    ),
    **{step: _of_the_kill_list(step) for step in SCENARIOS},
    "kept and rewritten": Scene(kept_and_rewritten, assert_kept, steps=_of_files),
    "rewritten while it fails": Scene(
        rewritten_while_it_fails, assert_rewritten, steps=lambda step: _of_files(step) or step == "deliver.remove-stale"
    ),
    "deleted": Scene(deleted, assert_deleted, steps=_of_files),
    "far away": Scene(far_away, steps=_of_files),
    "failed and back": Scene(failed_and_back, steps=_of_files),
    "retry": Scene(failed_before, run=("retry", "--all")),
}
