"""A fault of the file itself: its reason stands in failed/, and it can be tried again."""

import json
from pathlib import Path

from pytest import Subtests

from lab import Lab, eventually, files_below, quick_inbox, sha256

BROKEN = b"BROKEN:FILE_PARSE_FAILED"
KEYS = {"code", "message", "remedy", "request_id", "task_id", "attempts", "failed_at", "inbox", "source"}


def error_of(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_bytes())
    return found


def test_a_broken_file_goes_to_failed_with_its_reason_and_bills_nothing(lab: Lab, subtests: Subtests) -> None:
    lab.configure(
        inboxes=[quick_inbox("one"), quick_inbox("two"), quick_inbox("kept", done="keep")],
    )
    for inbox in ("one", "two", "kept"):
        lab.drop("a/bad.mp3", BROKEN, inbox=f"{inbox}/inbox")
    good = lab.drop("good.mp3", b"whole", inbox="one/inbox")
    weak = lab.drop("weak.mp3", b"BROKEN:RECOGNIZE_FAILED", inbox="one/inbox")

    assert lab.run_once().returncode == 2

    with subtests.test("the error file tells all that a person needs"):
        error = error_of(lab.root / "one/failed/a/bad.mp3.error.json")
        [task, *_] = [t for t in lab.sandbox.state()["tasks"] if t["task_id"] == error["task_id"]]
        assert error.keys() == KEYS
        assert (error["code"], error["inbox"], error["source"]) == ("FILE_PARSE_FAILED", "one", "a/bad.mp3")
        assert "FILE_PARSE_FAILED" in {file["code"] for file in task["files"]}
        assert error["message"]
        assert error["remedy"]
        assert error["attempts"] == 1
    with subtests.test("two inboxes with the same broken content get their own error files"):
        assert set(files_below(lab.root / "two/failed")) == {"a/bad.mp3", "a/bad.mp3.error.json"}
        assert error_of(lab.root / "two/failed/a/bad.mp3.error.json")["inbox"] == "two"
        assert files_below(lab.root / "two/inbox") == {}
    with subtests.test("a failed source of a keep inbox stays where it is"):
        assert files_below(lab.root / "kept/inbox") == {"a/bad.mp3": BROKEN}
        assert set(files_below(lab.root / "kept/failed")) == {"a/bad.mp3.error.json"}
    with subtests.test("a fault that may pass is tried again, within its bound"):
        error = error_of(lab.root / "one/failed/weak.mp3.error.json")
        tried = [
            file for t in lab.sandbox.state()["tasks"] for file in t["files"] if file["code"] == "RECOGNIZE_FAILED"
        ]
        assert 1 < len(tried) <= 5
        assert error["attempts"] == len(tried)
        assert files_below(lab.root / "one/failed")["weak.mp3"] == weak
    with subtests.test("the file beside it is delivered, and only that is billed"):
        assert dict(lab.billed()) == {sha256(good): 1}
        assert set(lab.heard("one/outbox")) == {"good.json"}
    lab.assert_bucket_is_empty()


def test_a_failed_file_moved_back_is_a_new_attempt_and_drags_no_other_copy_along(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("one"), quick_inbox("two")])
    lab.sandbox.inject("subtask", "fail", code="DECODE_ERROR", times=1)
    data = lab.drop("a/talk.mp3", b"hard to hear", inbox="one/inbox")
    lab.drop("copy.mp3", data, inbox="two/inbox")
    assert lab.run_once().returncode == 2
    lab.drop("bad.mp3", BROKEN, inbox="two/inbox")
    assert lab.run_once().returncode == 2
    first = error_of(lab.root / "two/failed/bad.mp3.error.json")

    (lab.root / "one/failed/a/talk.mp3").rename(lab.root / "one/inbox/a/talk.mp3")
    (lab.root / "two/failed/bad.mp3").rename(lab.root / "two/inbox/bad.mp3")
    assert lab.run_once().returncode == 2

    assert dict(lab.billed()) == {sha256(data): 1}
    assert lab.heard("one/outbox") == {"a/talk.json": sha256(data)}
    assert files_below(lab.root / "one/failed") == {}, "the stale error file goes away"
    names = {f"{name}.mp3{suffix}" for name in ("copy", "bad") for suffix in ("", ".error.json")}
    assert set(files_below(lab.root / "two/failed")) == names
    assert error_of(lab.root / "two/failed/bad.mp3.error.json")["task_id"] != first["task_id"]


def test_a_person_may_clear_failed_and_mend_the_file_while_the_daemon_runs(lab: Lab) -> None:
    lab.drop("bad.mp3", BROKEN)
    with lab.start():
        eventually((lab.failed / "bad.mp3").exists)
        (lab.failed / "bad.mp3").unlink()
        mended = lab.drop("bad.mp3", b"whole")
        eventually((lab.done / "bad.mp3").exists)

    assert lab.heard() == {"bad.json": sha256(mended)}


def test_a_file_above_2_gb_fails_before_anything_is_uploaded(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("moved"), quick_inbox("kept", done="keep")])
    for name in ("moved", "kept"):
        (lab.root / name / "inbox").mkdir(parents=True)
        with open(lab.root / name / "inbox/film.mp4", "wb") as file:
            file.truncate(2 * 1024**3 + 1)

    assert lab.run_once().returncode == 2

    for name in ("moved", "kept"):
        error = error_of(lab.root / name / "failed/film.mp4.error.json")
        assert error.keys() == KEYS
        assert (error["code"], error["inbox"]) == ("FILE_TOO_LARGE", name)
    assert (lab.root / "moved/failed/film.mp4").exists()
    assert (lab.root / "kept/inbox/film.mp4").exists()
    uploads = ("put", "initiate", "part", "submit")
    assert [lab.calls(name) for name in uploads] == [0, 0, 0, 0]
    assert lab.run_once().returncode == 0, "it is not taken again"


def test_a_folder_full_of_broken_files_fails_file_by_file(lab: Lab) -> None:
    """Other than a service that cannot download: what is wrong is in the files, however many there are."""
    lab.configure(model_studio={"max_urls_per_task": 2})
    names = {f"{n}.mp3" for n in range(5)}
    for name in names:
        lab.drop(name, BROKEN + name.encode())

    assert lab.run_once(patience="3s").returncode == 2

    assert set(files_below(lab.failed)) == {f"{name}{suffix}" for name in names for suffix in ("", ".error.json")}
    assert lab.billed() == {}
