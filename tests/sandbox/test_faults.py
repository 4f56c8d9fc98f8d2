"""Faults as data: each does what its name says, to what it matches, as often as it was told."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from dropscribe.sandbox import Fault, RunningSandbox

Put = Callable[..., str]
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_an_error_strikes_as_often_as_told_and_says_when_to_come_back(studio: Any, sandbox: RunningSandbox) -> None:
    sandbox.inject("query", "error", status=429, code="Throttling.RateQuota", retry_after=3, times=2, skip=1)

    answers = [studio.get("/api/v1/tasks/x") for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 429, 429, 200]
    assert answers[1].json()["code"] == "Throttling.RateQuota"
    assert answers[1].headers["Retry-After"] == "3"


def test_a_fault_of_the_storage_speaks_xml_and_strikes_only_what_it_matches(
    studio: Any, sandbox: RunningSandbox, put: Put
) -> None:
    sandbox.inject("get", "error", key="b.wav", status=503, code="ServiceUnavailable")

    fine, failing = requests.get(put("a.wav", b"x"), timeout=5), requests.get(put("b.wav", b"x"), timeout=5)

    assert fine.status_code == 200
    assert (failing.status_code, "<Code>ServiceUnavailable</Code>" in failing.text) == (503, True)


def test_a_fault_ends_by_the_sandboxs_clock_or_when_it_is_cleared(studio: Any, sandbox: RunningSandbox) -> None:
    def status() -> int:
        return int(studio.get("/api/v1/tasks/x").status_code)

    sandbox.inject("query", "error", for_seconds=60)
    struck = status()
    sandbox.advance(61)
    over = status()
    sandbox.inject("*", "error")
    struck_again = status()
    sandbox.clear_faults()

    assert [struck, over, struck_again, status()] == [500, 200, 500, 200]


def test_a_dropped_submit_makes_no_task_a_lost_one_does(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    url = put("a.wav", b"sound")
    counts = []
    for kind in ("drop", "lost"):
        sandbox.inject("submit", kind, times=1)
        with pytest.raises(BROKEN):
            studio.submit(url)
        counts.append(len(sandbox.state()["tasks"]))

    assert counts == [0, 1]
    assert sandbox.state()["calls"]["submit"]["unanswered"] == 2


def test_a_hanging_call_never_answers_and_does_nothing(studio: Any, sandbox: RunningSandbox) -> None:
    sandbox.inject("submit", "hang")

    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{sandbox.url}/api/v1/services/audio/asr/transcription", json={}, headers=studio.headers, timeout=0.2
        )

    assert sandbox.state()["tasks"] == []


def test_a_delay_is_waited_on_the_sandboxs_clock(studio: Any, sandbox: RunningSandbox) -> None:
    sandbox.inject("query", "delay", seconds=3600)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/api/v1/tasks/x", headers=studio.headers, timeout=0.2)

    sandbox.change(speed=1_000_000)

    assert studio.get("/api/v1/tasks/x").status_code == 200


@pytest.mark.parametrize("size", [4000, 200_000], ids=["small", "large"])
def test_a_truncated_body_ends_before_its_promised_length(sandbox: RunningSandbox, put: Put, size: int) -> None:
    url = put("a.wav", b"x" * size)
    sandbox.inject("get", "truncate")

    with pytest.raises(BROKEN, match=rf"{size // 2} bytes read"):
        requests.get(url, timeout=5)


def test_results_can_be_no_json_expired_or_cut(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    url = studio.transcribe(put("a.wav", b"sound"))["output"]["results"][0]["transcription_url"]
    sandbox.inject("result", "not_json", times=1)
    page = requests.get(url, timeout=5)
    sandbox.inject("result", "expired", key="a.wav", times=1)
    expired = requests.get(url, timeout=5)
    sandbox.inject("result", "truncate", times=1)

    with pytest.raises(BROKEN):
        requests.get(url, timeout=5)

    assert (page.status_code, page.text[:6]) == (200, "<html>")
    assert (expired.status_code, "Request has expired" in expired.text) == (403, True)
    assert requests.get(url, timeout=5).json()["file_url"].partition("?")[0].endswith("/a.wav")


def test_an_account_that_takes_one_url_refuses_more(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    sandbox.inject("submit", "one_url")
    urls = [put("a.wav", b"one"), put("b.wav", b"two")]

    several, alone = studio.submit(*urls), studio.submit(urls[0])

    assert (several.status_code, several.json()["code"], alone.status_code) == (400, "InvalidParameter", 200)


def test_an_account_can_take_several_urls_and_hear_only_the_first(
    studio: Any, sandbox: RunningSandbox, put: Put
) -> None:
    sandbox.inject("submit", "first_only")
    urls = [put("a.wav", b"one"), put("b.wav", b"two")]

    answer = studio.transcribe(*urls)

    assert [r["file_url"] for r in answer["output"]["results"]] == urls[:1]
    assert len(sandbox.state()["book"]) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"does": "missing"}, ["a"]),
        ({"does": "missing", "url": "a.wav"}, ["b"]),
        ({"does": "reorder"}, ["b", "a"]),
        ({"does": "duplicate"}, ["a", "a", "b"]),
        ({"does": "foreign"}, ["a", "b", "nobody-sent-this"]),
    ],
)
def test_the_results_of_a_task_can_be_wrong_in_every_way(
    studio: Any, sandbox: RunningSandbox, put: Put, fault: dict[str, Any], expected: list[str]
) -> None:
    sandbox.inject("query", **fault)

    answer = studio.transcribe(put("a.wav", b"one"), put("b.wav", b"two"))

    files = [r["file_url"].partition("?")[0] for r in answer["output"]["results"]]
    assert [f.rpartition("/")[2].removesuffix(".wav") for f in files] == expected


@pytest.mark.parametrize(
    ("does", "left"), [("no_results", {"task_status"}), ("bare_urls", {"task_status", "results"}), ("unwrapped", set())]
)
def test_the_answer_to_a_query_can_have_another_shape(
    studio: Any, sandbox: RunningSandbox, put: Put, does: str, left: set[str]
) -> None:
    task_id = studio.submit(put("a.wav", b"one")).json()["output"]["task_id"]
    studio.done(task_id)
    sandbox.inject("query", does)

    answer = studio.query(task_id)

    output = answer.get("output", {})
    assert {"task_status", "results"} & output.keys() == left
    assert "?" not in (output.get("results") or [{"file_url": ""}])[0]["file_url"] or does != "bare_urls"
    assert ("task_status" in answer) == (does == "unwrapped")


def test_a_submit_can_be_taken_twice_and_both_are_billed(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    sandbox.inject("submit", "twice", times=1)

    studio.transcribe(put("a.wav", b"one"))
    [studio.done(task["task_id"]) for task in studio.list()["data"]]

    assert len(sandbox.state()["book"]) == 2


def test_a_submit_can_arrive_late_and_leaves_its_caller_without_an_answer(studio: Any, sandbox: RunningSandbox) -> None:
    sandbox.inject("submit", "late", seconds=60.0, times=1)
    with pytest.raises(BROKEN):
        studio.submit("http://127.0.0.1:1/a.wav")

    before = studio.list()["total"]
    sandbox.advance(61)

    assert (before, studio.list()["total"]) == (0, 1)


def test_a_result_can_hold_anything(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    url = studio.transcribe(put("a.wav", b"one"))["output"]["results"][0]["transcription_url"]
    sandbox.inject("result", "body", message="[]", times=1)

    assert [requests.get(url, timeout=5).text == "[]" for _ in range(2)] == [True, False]


def test_a_task_can_be_unknown_or_in_a_state_that_nobody_heard_of(studio: Any, sandbox: RunningSandbox) -> None:
    task_id = studio.submit("http://127.0.0.1:1/a.wav").json()["output"]["task_id"]
    sandbox.inject("query", "unknown", task=task_id, times=1)
    sandbox.inject("query", "status", code="SUSPENDED", skip=1)

    assert studio.query(task_id)["output"] == {"task_id": task_id, "task_status": "UNKNOWN"}
    assert studio.query(task_id)["output"]["task_status"] == "SUSPENDED"


def test_the_list_can_lag_behind_and_hide_tasks(studio: Any, sandbox: RunningSandbox) -> None:
    for model in ("fun-asr", "fun-asr-mtl"):
        studio.submit("http://127.0.0.1:1/a.wav", model=model)
    sandbox.inject("list", "lag", seconds=60)
    sandbox.inject("list", "hide", model="mtl")

    lagging = studio.list()["total"]
    sandbox.advance(61)

    assert [lagging, [t["model_name"] for t in studio.list()["data"]]] == [0, ["fun-asr"]]


def test_one_file_of_a_task_can_fail_by_order_and_is_not_billed(studio: Any, sandbox: RunningSandbox, put: Put) -> None:
    sandbox.inject("subtask", "fail", key="a.wav", code="DECODE_ERROR", times=1)
    sandbox.inject("download", "error", key="b.wav", code="FILE_SERVER_ERROR", times=1)
    urls = [put("a.wav", b"one"), put("b.wav", b"two")]

    first, second = ([r.get("code") for r in studio.transcribe(*urls)["output"]["results"]] for _ in range(2))

    assert [first, second] == [["DECODE_ERROR", "FILE_SERVER_ERROR"], [None, None]]
    assert len(sandbox.state()["book"]) == 2


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"call": "submitt", "does": "error"}, "submitt"),
        ({"call": "put", "does": "one_url"}, "one_url"),
        ({"call": "put", "does": "error", "stauts": 500}, "stauts"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_by_name(given: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Fault.from_json(given)
