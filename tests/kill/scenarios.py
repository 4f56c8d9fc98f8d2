"""What happens while a daemon dies: files and faults, by the steps that only they reach, and what must come of them."""

import shutil
from collections.abc import Callable

from lab import Lab, files_below, sha256

LARGE = bytes(range(256)) * 4096 * 9  # 9 MiB: two parts
BROKEN = b"BROKEN:FILE_PARSE_FAILED"


def everyday(lab: Lab) -> dict[str, bytes]:
    """Small and large files, in folders, one twice, one without speech, one that is broken."""
    lab.configure(storage={"multipart_above": "5MB"})
    twice = b"said twice" * 50
    return {
        "talk.mp3": lab.drop("talk.mp3"),
        "a/b/talk.mp3": lab.drop("a/b/talk.mp3", twice),
        "again.wav": lab.drop("again.wav", twice),
        "film.mp4": lab.drop("film.mp4", LARGE),
        "silence.ogg": lab.drop("silence.ogg", b"NOSPEECH"),
        "broken.m4a": lab.drop("broken.m4a", BROKEN),
    }


def answer_lost(lab: Lab) -> dict[str, bytes]:
    """The service takes the submit, and its answer never comes back."""
    lab.sandbox.inject("submit", "lost", times=1)
    return {"talk.mp3": lab.drop("talk.mp3"), "other.mp3": lab.drop("other.mp3")}


def ledger_restored(lab: Lab) -> dict[str, bytes]:
    """The ledger is a backup from before the submit: it does not know the task that the service has."""
    files = {"talk.mp3": lab.drop("talk.mp3"), "other.mp3": lab.drop("other.mp3")}
    assert lab.run_once(kill_at="submit.post:effect:1").returncode == -9
    lab.ledger("DELETE FROM batch_item")
    lab.ledger("DELETE FROM batch")
    lab.ledger("UPDATE recognition SET state = 'uploaded'")
    return files


def told(lab: Lab) -> dict[str, bytes]:
    """A command hears of what becomes of the files."""
    files = everyday(lab)
    lab.configure(storage={"multipart_above": "5MB"}, notify={"command": ["/bin/sh", "-c", "cat > /dev/null"]})
    return files


def tried_again(lab: Lab) -> dict[str, bytes]:
    """A file that failed was moved back into its inbox."""
    lab.drop("broken.m4a", BROKEN)
    assert lab.run_once().returncode == 2
    (lab.failed / "broken.m4a").rename(lab.inbox / "broken.m4a")
    (lab.inbox / "broken.m4a").write_bytes(b"mended")
    return {"broken.m4a": b"mended"}


def storage_shut(lab: Lab) -> dict[str, bytes]:
    """The bucket refuses an upload, so that it is probed."""
    lab.sandbox.inject("put", "error", status=403, code="AccessDenied", times=2)
    return {"talk.mp3": lab.drop("talk.mp3")}


def library_adopted(lab: Lab) -> dict[str, bytes]:
    """A library of one more format than before, whose state is lost: its outputs are adopted and completed."""
    lab.configure({"done": "keep"})
    files = {"talk.mp3": lab.drop("talk.mp3"), "a/talk.mp3": lab.drop("a/talk.mp3")}
    assert lab.run_once().returncode == 0
    shutil.rmtree(lab.state)
    lab.configure({"done": "keep", "outputs": ["json", "srt", "vtt"]})
    return files


SCENARIOS: dict[str, Callable[[Lab], dict[str, bytes]]] = {
    "submit.settle": answer_lost,
    "submit.adopt": ledger_restored,
    "notify.send": told,
    "probe.put": storage_shut,
    "deliver.remove-stale": tried_again,
    "adopt.place": library_adopted,
}


def assert_all_is_in_its_place(lab: Lab, files: dict[str, bytes]) -> None:
    good = {path: data for path, data in files.items() if data != BROKEN}
    bad = {path: data for path, data in files.items() if data == BROKEN}
    assert files_below(lab.done) == good
    assert files_below(lab.inbox) == {}
    stems = {path.rsplit(".", 1)[0] for path in good}
    assert set(lab.outputs()) == {f"{stem}.{suffix}" for stem in stems for suffix in ("json", "srt")}
    assert set(files_below(lab.failed)) == {*bad, *(f"{path}.error.json" for path in bad)}
    spoken = {sha256(data) for data in good.values() if not data.startswith(b"NOSPEECH")}
    assert dict(lab.billed()) == dict.fromkeys(spoken, 1), "each content is billed exactly once"
    lab.assert_bucket_is_empty()
    lab.assert_nothing_private_is_left()


def assert_the_library_is_complete(lab: Lab, files: dict[str, bytes]) -> None:
    assert set(lab.outputs()) == {f"{path[:-4]}.{suffix}" for path in files for suffix in ("json", "srt", "vtt")}
    assert len(lab.ledger("SELECT * FROM output")) == 3 * len(files)
    assert dict(lab.billed()) == {sha256(data): 1 for data in files.values()}
    lab.assert_nothing_private_is_left()


def judge_of(step: str) -> Callable[[Lab, dict[str, bytes]], None]:
    """What must have come of the scenario of this step."""
    return assert_the_library_is_complete if step == "adopt.place" else assert_all_is_in_its_place
