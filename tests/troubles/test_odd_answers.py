"""Answers that no document promises: each file gets its own words, or its own reason, and is paid once."""

import json
from typing import Any

import pytest

from lab import Lab, files_below, sha256
from timelapse import SharedTime
from troubles.table import is_clean, trouble
from troubles.test_lost_submits import delivered, line_of_status

AREA = "Odd answers"
BENT: dict[str, list[dict[str, Any]]] = {
    "The answer has no `output` around it": [{"does": "unwrapped"}],
    "Results come in another order, doubled, with a stranger's between, their URLs without query": [
        {"does": "reorder"},
        {"does": "duplicate"},
        {"does": "foreign"},
        {"does": "bare_urls"},
    ],
    "The task is in a state that nobody knows, for a while": [{"does": "status", "code": "THINKING", "times": 5}],
    "The task is SUSPENDED for a while": [{"does": "status", "code": "SUSPENDED", "times": 5}],
    "A file is missing from the results in one look": [{"does": "missing", "times": 1}],
    "The task is unknown in two looks": [{"does": "unknown", "times": 2}],
    "Answers are cut or HTML": [{"does": "truncate", "times": 1}, {"does": "not_json", "times": 1, "skip": 1}],
}


@pytest.mark.parametrize("name", BENT)
async def test_each_file_gets_its_own_words(lab: Lab, name: str) -> None:
    injected = ", ".join(f"`{fault.get('code', fault['does'])}`" for fault in BENT[name])
    async with trouble(lab, AREA, name, f"query: {injected}") as case:
        for fault in BENT[name]:
            lab.sandbox.inject("query", **fault)
        files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(3)}
        async with case.start() as days:
            await days.until(delivered(lab, *files))
            await case.sees("batch.done")
            assert days.logged("scope.opened") == []

    for path, data in files.items():
        said = lab.transcript(path.replace("mp3", "json"))
        assert said["source"]["sha256"] == sha256(data)
        assert sha256(data)[:16] in said["text"], "the sandbox says the sha256 of what it heard"
    assert lab.calls("submit") == 1


async def test_a_finished_task_that_never_mentions_a_file_sends_that_one_again_alone(lab: Lab) -> None:
    name = "One file of a task is missing from its results, for good"
    async with trouble(lab, AREA, name, "query: `missing` for one task", billed="twice") as case:
        lab.sandbox.inject("query", "missing", times=30, key="dropscribe/")
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: len(days.logged("batch.submitted")) == 2)
            lab.sandbox.clear_faults()
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("file.again", code="MissingFromTask", inbox="talks", path="talk.mp3")


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
@pytest.mark.parametrize("results", ["with results", "without results"])
async def test_a_task_in_which_nothing_succeeded_is_judged_file_by_file(lab: Lab, status: str, results: str) -> None:
    name = f"The task is {status} {results}, and no file succeeded"
    async with trouble(lab, AREA, name, f"the file is broken; {results}", billed="nothing") as case:
        lab.sandbox.change(all_failed=status)
        if results == "without results":
            lab.sandbox.inject("query", "no_results")
        lab.drop("bad.mp3", b"BROKEN:FILE_PARSE_FAILED")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.failed"))
            await days.until(is_clean(lab))
            silent = (status, results) == ("SUCCEEDED", "without results")
            expected = "MissingFromTask" if silent else "FILE_PARSE_FAILED"
            await case.sees("file.failed", code=expected)
            told = [line["event"] for line in days.log if line["event"].startswith("file.")]
            assert told[-1:] == ["file.failed"] and told.count("file.failed") == 1 and "file.refused" not in told


@pytest.mark.parametrize("where", ["the status of the task", "the code of the file"])
async def test_a_recording_without_speech_is_no_failure(lab: Lab, where: str) -> None:
    async with trouble(
        lab, AREA, f"Nobody speaks, told as {where}", "`SUCCESS_WITH_NO_VALID_FRAGMENT`", "nothing"
    ) as case:
        lab.drop("silence.mp3", b"NOSPEECH")
        if where == "the status of the task":
            lab.sandbox.inject("query", "status", code="SUCCESS_WITH_NO_VALID_FRAGMENT")
            lab.sandbox.inject("query", "no_results")
        async with case.start() as days:
            await days.until(delivered(lab, "silence.mp3"))
            await case.sees("file.no-speech", path="silence.mp3")

    assert lab.transcript("silence.json")["text"] == ""
    assert lab.outputs()["silence.srt"] == b""


async def test_a_result_that_expired_is_asked_for_again_and_then_bought_once(lab: Lab) -> None:
    name = "The result's address has expired, and stays so"
    async with trouble(lab, AREA, name, "result: `expired`, after a day without a daemon", billed="twice") as case:
        clock = SharedTime(lab.sandbox)
        lab.sandbox.change(retention_seconds=5 * 24 * 3600.0)
        lab.drop("talk.mp3")
        async with case.start(clock=clock) as days:
            await days.until(lambda: days.logged("batch.submitted"))
        clock.jump(25 * 3600.0)
        lab.sandbox.inject("result", "expired", times=2)
        async with case.start(clock=clock) as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("result.again", code="ResultGone")
    assert lab.calls("submit") == 2


async def test_a_result_that_is_refused_before_it_can_have_expired_is_not_bought_again(lab: Lab) -> None:
    name = "A firewall refuses the results' host for an hour"
    async with trouble(lab, AREA, name, "result: HTTP 403") as case:
        lab.sandbox.inject("result", "error", status=403, code="AccessDenied", for_seconds=3600.0)
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("scope.opened"))
            await days.passes(hours=1)
            await case.sees("scope.opened", scope="results")
            await days.until(delivered(lab, "talk.mp3"))
            await days.until(lambda: days.logged("scope.closed", scope="results"))
    assert lab.calls("submit") == 1


USELESS = {
    "The result is not JSON": "<html>busy</html>",
    "The result is JSON of another shape": '{"transcripts": 3}',
    "The result is an empty answer": "",
}


@pytest.mark.parametrize("name", USELESS)
async def test_a_result_that_cannot_be_used_fails_its_file_and_is_not_bought_for_ever(lab: Lab, name: str) -> None:
    async with trouble(lab, AREA, name, "result: another `body`, each time") as case:
        lab.sandbox.inject("result", "body", message=USELESS[name], key="dropscribe/")
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(lambda: days.logged("file.failed"))
            await days.until(is_clean(lab))
            await case.sees("file.failed", code="UnusableResult")
    assert lab.calls("submit") == 1
    assert set(files_below(lab.failed)) == {"talk.mp3", "talk.mp3.error.json"}


WEIRD: dict[str, Any] = {
    "Sentences have no words": {"begin_time": 0, "end_time": 900, "text": "Said."},
    "Times run backward, overlap, or are missing": {"begin_time": 900, "end_time": 100, "text": "Said.", "words": [{}]},
    "Times are text, or huge": {"begin_time": "12", "end_time": 10**12, "text": "Said.", "sentence_id": None},
}


@pytest.mark.parametrize("name", WEIRD)
async def test_words_are_delivered_whatever_their_times(lab: Lab, name: str) -> None:
    async with trouble(lab, AREA, name, "result: another `body`") as case:
        document = {"transcripts": [{"channel_id": 0, "text": "Said.", "sentences": [WEIRD[name]]}]}
        lab.sandbox.inject("result", "body", message=json.dumps(document))
        lab.drop("talk.mp3")
        async with case.start() as days:
            await days.until(delivered(lab, "talk.mp3"))
            await case.sees("file.delivered")

    assert lab.transcript("talk.json")["text"] == "Said."
    assert b"Said." in lab.outputs()["talk.srt"]


async def test_a_task_that_took_too_long_is_halved_and_charges_no_file(lab: Lab) -> None:
    name = "A task of eight dies after three hours (`InternalError.Timeout`)"
    async with trouble(lab, AREA, name, "each file of the first task fails with it") as case:
        lab.sandbox.inject("subtask", "fail", code="InternalError.Timeout", message="Timed out.", times=8)
        files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(8)}
        async with case.start() as days:
            await days.until(delivered(lab, *files))
            assert len(days.logged("file.again", code="InternalError.Timeout")) == 8
            case.seen.append("`file.again` code `InternalError.Timeout`")

    first, *rest = (len(task["files"]) for task in lab.sandbox.state()["tasks"])
    assert (first, sum(rest)) == (8, 8)
    assert max(rest) <= 4, "how the halves fill depends on which uploads were done first"
    assert {row[0] for row in lab.ledger("SELECT attempts FROM recognition")} == {0}


async def test_one_url_a_task_is_learnt_shown_and_after_a_week_unlearnt(lab: Lab) -> None:
    name = "The account takes one URL a task, and changes its mind a week later"
    async with trouble(lab, "One URL a task", name, "submit: `one_url`, for three days") as case:
        lab.sandbox.inject("submit", "one_url", for_seconds=3 * 86400.0)
        files = [lab.drop(f"{n}.mp3") for n in range(3)]
        async with case.start() as days:
            await days.until(lambda: len(files_below(lab.done)) == 3)
            await case.sees("account.one-url-per-task")
            statuses = lab.sandbox.state()["calls"]["submit"]["statuses"]
            assert statuses == {"200": 3, "400": 1}
            case.shows(line_of_status(lab, "one file a task").partition(";")[0])
            days.time.jump(7 * 86400.0 + 60)
            files += [lab.drop(f"later {n}.mp3") for n in range(3)]
            await days.until(lambda: len(files_below(lab.done)) == 6)
            await days.until(is_clean(lab))
        assert lab.calls("submit") == 5, "the three travel together again"
