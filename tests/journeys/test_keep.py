"""`done: keep` and `done: delete`: libraries whose sources stay, and sources that go."""

import os

import pytest
from pytest import Subtests

from lab import Lab, eventually, files_below, sha256

KEEP = {"done": "keep"}


def test_a_kept_library(lab: Lab, subtests: Subtests) -> None:
    lab.configure(KEEP)
    first = {path: lab.drop(path) for path in ("still.mp3", "touched.mp3", "rewritten.mp3", "edited.mp3", "old.mp3")}
    lab.drop("broken.mp3", b"BROKEN:FILE_PARSE_FAILED")
    lab.drop("mended.mp3", b"BROKEN:DECODE_ERROR")

    assert lab.run_once().returncode == 2

    with subtests.test("sources stay where they are"):
        assert {path: files_below(lab.inbox)[path] for path in first} == first
        assert not lab.done.exists()
    with subtests.test("a failed source stays too, and only its error file stands in failed/"):
        assert (lab.inbox / "broken.mp3").exists()
        assert set(files_below(lab.failed)) == {"broken.mp3.error.json", "mended.mp3.error.json"}

    before, submits = lab.outputs(), lab.calls("submit")
    os.utime(lab.inbox / "touched.mp3", (1, 1))
    rewritten = lab.drop("rewritten.mp3", b"another talk")
    (lab.outbox / "edited.srt").write_bytes(b"corrected by hand")
    (lab.outbox / "edited.json").write_bytes(b'{"by": "hand", "source": {"sha256": ""}}')
    edited = lab.drop("edited.mp3", b"a third talk")
    mended = lab.drop("mended.mp3", b"whole again")
    (lab.inbox / "old.mp3").rename(lab.inbox / "renamed.mp3")

    again = lab.run_once()
    assert again.returncode == 0

    after = lab.outputs()
    with subtests.test("what was delivered, touched or failed is not bought again"):
        new = (rewritten, edited, mended)
        assert dict(lab.billed()) == {sha256(data): 1 for data in (*first.values(), *new)}
        assert lab.calls("submit") == submits + 1
        assert '"path": "still.mp3"' not in again.stderr
        assert '"path": "broken.mp3"' not in again.stderr
        assert {path: after[path] for path in before if "still" in path or "touched" in path} == {
            path: data for path, data in before.items() if "still" in path or "touched" in path
        }
    with subtests.test("a file under a new name gets outputs of that name"):
        assert lab.heard()["renamed.json"] == sha256(first["old.mp3"])
        assert lab.transcript("renamed.json")["source"]["name"] == "renamed.mp3"
    with subtests.test("a file rewritten in place replaces its own outputs"):
        assert lab.heard()["rewritten.json"] == sha256(rewritten)
        assert not (lab.outbox / "rewritten.mp3.json").exists()
        assert after["rewritten.srt"] != before["rewritten.srt"]
    with subtests.test("outputs that a person edited are theirs"):
        assert after["edited.srt"] == b"corrected by hand"
        assert lab.heard()["edited.mp3.json"] == sha256(edited)
        assert (lab.outbox / "edited.mp3.srt").exists()
    with subtests.test("a failed file that is mended in place is tried again, and its stale error file goes"):
        assert lab.heard()["mended.json"] == sha256(mended)
        assert set(files_below(lab.failed)) == {"broken.mp3.error.json"}


def test_subtitles_may_stand_beside_the_media(lab: Lab) -> None:
    lab.configure({**KEEP, "outbox": "inbox"})
    lab.drop("films/a.mp4")
    lab.drop("films/b.mp4")

    assert lab.run_once().returncode == 0
    assert lab.run_once().returncode == 0

    assert set(files_below(lab.inbox)) == {f"films/{stem}.{s}" for stem in "ab" for s in ("mp4", "json", "srt")}
    assert sum(lab.billed().values()) == 2


def test_delete_removes_the_source_after_its_outputs_stand_and_keeps_a_failed_one(lab: Lab) -> None:
    lab.configure({"done": "delete"})
    lab.drop("talk.mp3")
    broken = lab.drop("broken.mp3", b"BROKEN:FILE_PARSE_FAILED")

    assert lab.run_once().returncode == 2

    assert set(lab.outputs()) == {"talk.json", "talk.srt"}
    assert files_below(lab.inbox) == {}
    assert not lab.done.exists()
    assert files_below(lab.failed)["broken.mp3"] == broken


@pytest.mark.parametrize("done", ["keep", "done"])
def test_outputs_speak_of_the_content_that_stands_now_though_the_older_answer_comes_later(lab: Lab, done: str) -> None:
    lab.configure({"done": done})
    known = lab.drop("known.mp3", b"heard before")
    with lab.start() as daemon:
        eventually((lab.outbox / "known.json").exists)
        lab.sandbox.change(task_seconds=1.5)
        older = lab.drop("talk.mp3", b"the older content")
        eventually(lambda: lab.calls("submit") == 2)

        lab.drop("talk.mp3", known)  # rewritten in place after the submit: free and delivered at once
        eventually(lambda: sha256(known) in (lab.heard().get("talk.json"), lab.heard().get("talk.mp3.json")))
        eventually(lambda: len(daemon.logged("batch.done")) == 2)
        assert daemon.stop() == 0
    assert lab.run_once().returncode == 0

    heard = lab.heard()
    if done == "keep":
        assert heard["talk.json"] == sha256(known)
    else:
        assert {heard["talk.json"], heard["talk.mp3.json"]} == {sha256(known), sha256(older)}
