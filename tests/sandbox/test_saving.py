"""The stand-in goes back to what it held, as if nothing had come since."""

from typing import Any

import oss2

from dropscribe.sandbox import RunningSandbox
from lab import eventually


def ended(sandbox: RunningSandbox) -> bool:
    return all(task["status"] in ("SUCCEEDED", "FAILED") for task in sandbox.state()["tasks"])


def told(sandbox: RunningSandbox) -> tuple[list[str], int, int, int]:
    """(keys, unfinished uploads, tasks, entries of the book)."""
    state = sandbox.state()
    keys = [stored["key"] for stored in state["objects"]]
    return keys, len(state["uploads"]), len(state["tasks"]), len(state["book"])


def test_what_came_since_never_was(sandbox: RunningSandbox, bucket: oss2.Bucket, studio: Any) -> None:
    bucket.put_object("small.mp3", b"sound")
    bucket.put_object("large.mp3", b"sound" * 50_000)
    bucket.init_multipart_upload("parts.mp3")
    before = sandbox.save()
    was = told(sandbox)

    bucket.delete_object("large.mp3")
    bucket.put_object("small.mp3", b"other")
    studio.submit(bucket.sign_url("GET", "small.mp3", 600))
    eventually(lambda: ended(sandbox))
    sandbox.restore(before)

    assert told(sandbox) == was
    assert bucket.get_object("small.mp3").read() == b"sound"
    assert bucket.get_object("large.mp3").read() == b"sound" * 50_000


def test_a_task_that_had_not_ended_ends_again_and_is_billed_once(
    sandbox: RunningSandbox, bucket: oss2.Bucket, studio: Any
) -> None:
    bucket.put_object("talk.mp3", b"sound")
    sandbox.inject("download", "delay", seconds=0.2)
    studio.submit(bucket.sign_url("GET", "talk.mp3", 600))
    midway = sandbox.save()

    for _ in range(2):
        eventually(lambda: ended(sandbox))
        assert len(sandbox.state()["book"]) == 1
        sandbox.restore(midway)
        assert sandbox.state()["book"] == []


def test_a_fault_that_was_used_up_since_strikes_again(sandbox: RunningSandbox, bucket: oss2.Bucket) -> None:
    sandbox.inject("put", "error", status=503, code="ServiceUnavailable", times=1)
    before = sandbox.save()

    for _ in range(2):
        refused = 0
        for _ in range(2):
            try:
                bucket.put_object("talk.mp3", b"sound")
            except oss2.exceptions.ServerError:
                refused += 1
        assert refused == 1
        sandbox.restore(before)
