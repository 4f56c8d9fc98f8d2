"""What the daemon and the services say to each other, a file for each call in tests/conversations.

Each is recorded anew from the real command, and must say what the file says: `DROPSCRIBE_WRITE_CONVERSATIONS=1` writes
them anew. All of it also passes `Judge`, as every other test's talk does.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from contract.conversation import FOLDER, Said, compare, first, task_told
from contract.judge import Judge
from dropscribe.sandbox import SandboxSettings, running_sandbox
from dropscribe.sandbox.overheard import Exchange
from lab import Lab, eventually, files_below

pytestmark = pytest.mark.journey
SLOW = SandboxSettings(pending_seconds=1000, task_seconds=2000, enforce_rates=False, signed_by_real_time=True)
"""Its clock is moved by the test."""
FILM = bytes(range(256)) * 4096 * 9  # 9 MiB: a part of 8 MiB, and one of 1
CALLS = frozenset(
    {
        *("submit", "query", "list", "result"),
        *("put", "get", "head", "delete", "delete_many"),
        *("initiate", "part", "complete", "abort", "list_parts", "list_uploads"),
    }
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with running_sandbox(SLOW) as sandbox:
        yield Lab(tmp_path, sandbox, forked=True)


def told(judge: Judge, status: str, ended: int = 0) -> Exchange | None:
    """The first answer that tells this of a task: its status, and how many of its files have ended."""
    for exchange in list(judge.exchanges):
        task = task_told(exchange)
        if task and task["task_status"] == status:
            metrics = task["task_metrics"]
            if metrics["SUCCEEDED"] + metrics["FAILED"] == ended:
                return exchange
    return None


def drop_one_after_the_other(lab: Lab, files: dict[str, bytes]) -> None:
    """So that they stand in their task in this order."""
    for number, (name, content) in enumerate(files.items(), 1):
        lab.drop(name, content)
        eventually(lambda stored=number: lab.calls("put") == stored)


def test_a_task_of_two_files_from_upload_to_clean_up(lab: Lab, judge: Judge) -> None:
    settings = {"language_hints": ["en"], "special_word_filter": {"system_reserved_filter": False}}
    both = {"model_studio": {"max_urls_per_task": 2}, "batch": {"max_wait": "10m"}}  # the task waits for the second
    lab.configure(inbox={"recognition": settings}, **both)
    with lab.start() as daemon:
        drop_one_after_the_other(lab, {"talk.mp3": b"sound", "silence.mp3": b"NOSPEECH"})
        pending = eventually(lambda: told(judge, "PENDING"))
        lab.sandbox.advance(1100)
        running = eventually(lambda: told(judge, "RUNNING", 2))
        lab.sandbox.advance(1100)
        ended = eventually(lambda: told(judge, "SUCCEEDED", 2))
        eventually(lambda: len(files_below(lab.done)) == 2 and not lab.sandbox.state()["objects"])
        assert daemon.stop() == 0

    heard = list(judge.exchanges)
    compare("put", "a recording is uploaded in one piece.", [Said("The whole file", first(heard, "put"))])
    compare("get", "the service fetches a recording by the URL that dropscribe signed.", [
        Said("As the service comes for it", first(heard, "get")),
    ])  # fmt: skip
    compare("submit", "files are handed over to be recognised; the only call that costs.", [
        Said("Two files of the same settings", first(heard, "submit")),
    ])  # fmt: skip
    compare("query", "how far a task is, and where its results are.", [
        Said("It waits", pending),
        Said("It runs", running),
        Said("It has ended: one file spoke, one was silent", ended),
    ])  # fmt: skip
    compare("result", "the text of one file, by the URL that the service signed.", [
        Said("Without any key", first(heard, "result")),
    ])  # fmt: skip


def test_a_check_from_both_sides_of_the_bucket(lab: Lab, judge: Judge) -> None:
    assert lab.call("check", "--online").returncode == 0

    heard = list(judge.exchanges)
    compare("head", "what the storage holds is compared with what was sent.", [
        Said("It stands, with its size and checksum", first(heard, "head", status=200)),
        Said("It is gone", first(heard, "head", status=404)),
    ])  # fmt: skip
    compare("delete", "one object is deleted; only the check does that, the daemon deletes many at once.", [
        Said("Whether it was there or not", first(heard, "delete")),
    ])  # fmt: skip


def cut_after_the_first_part(lab: Lab) -> None:
    lab.configure(storage={"multipart_above": "5MB"})
    lab.drop("film.mp4", FILM)
    lab.sandbox.inject("part", "hang", skip=1, times=1)
    with lab.start() as daemon:
        eventually(lambda: [upload for upload in lab.sandbox.state()["uploads"] if upload["parts"]])
        assert daemon.stop() == 0
    lab.sandbox.clear_faults()


def test_a_film_goes_in_parts_and_goes_on_after_a_cut(lab: Lab, judge: Judge) -> None:
    cut_after_the_first_part(lab)
    with lab.start() as daemon:
        eventually(lambda: lab.calls("submit"))
        assert daemon.stop() == 0

    heard = list(judge.exchanges)
    for call, head in PARTS.items():
        compare(call, head, [Said("A film of two parts", first(heard, call, status=200))])


PARTS = {
    "initiate": "an upload in parts begins.",
    "part": "one part of it.",
    "list_parts": "after a cut: which parts stand.",
    "complete": "the parts become an object.",
}


def test_an_upload_that_nobody_wants_any_more_is_dropped(lab: Lab, judge: Judge) -> None:
    cut_after_the_first_part(lab)
    (lab.inbox / "film.mp4").unlink()
    with lab.start() as daemon:
        eventually(lambda: not lab.sandbox.state()["uploads"])
        assert daemon.stop() == 0

    heard = list(judge.exchanges)
    compare("abort", "an unfinished upload is dropped, with the parts that stand.", [
        Said("The film has vanished from its inbox", first(heard, "abort")),
    ])  # fmt: skip
    compare("list_uploads", "whether an upload of this name was begun that the ledger could not note down.", [
        Said("Only the name in question is looked for", first(heard, "list_uploads")),
    ])  # fmt: skip


def test_an_answer_that_was_lost_is_looked_for_in_the_list(lab: Lab, judge: Judge) -> None:
    lab.sandbox.inject("submit", "lost", times=1)
    lab.drop("talk.mp3", b"sound")
    with lab.start() as daemon:
        found = eventually(lambda: next((one for one in list(judge.exchanges) if is_list_of_one(one)), None))
        lab.sandbox.advance(3000)
        eventually(lambda: lab.calls("delete_many"))
        assert daemon.stop() == 0

    compare("list", "the tasks of the last day; read before the first submit, and when an answer was lost.", [
        Said("At the start: there are none", first(list(judge.exchanges), "list")),
        Said("The task whose answer was lost", found),
    ])  # fmt: skip
    compare("delete_many", "recordings are deleted when their results are safe.", [
        Said("By name, as many as there are; the answer has to name each", first(list(judge.exchanges), "delete_many")),
    ])  # fmt: skip


def is_list_of_one(exchange: Exchange) -> bool:
    return exchange.call == "list" and json.loads(exchange.answer or b"{}").get("total") == 1


def test_refusals_are_read_in_both_services_words(lab: Lab, judge: Judge) -> None:
    lab.sandbox.inject("put", "error", status=503, code="ServiceBusy", message="Please slow down.", times=1)
    lab.sandbox.inject(
        "list", "error", status=429, code="Throttling.RateQuota", message="Slow.", retry_after=1, times=1
    )
    lab.sandbox.inject("submit", "error", status=400, code="InvalidParameter", message="No.", times=1)
    lab.drop("talk.mp3", b"sound")
    with lab.start() as daemon:
        eventually(lambda: lab.calls("submit"))
        assert daemon.stop() == 0

    heard = list(judge.exchanges)
    compare("refusals", "how the services say no.", [
        Said("Model Studio: later; Retry-After says when", first(heard, "list", status=429)),
        Said("Model Studio: not like this", first(heard, "submit", status=400)),
        Said("The storage: later", first(heard, "put", status=503)),
    ])  # fmt: skip


def test_there_is_a_conversation_for_each_call_that_is_used_and_for_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == CALLS | {"refusals"}


@pytest.mark.parametrize("secret", ["sk-sandbox", "sandbox-secret"])
def test_no_conversation_tells_a_secret(secret: str) -> None:
    told: Sequence[str] = [path.name for path in FOLDER.glob("*.txt") if secret in path.read_text()]
    assert told == []
