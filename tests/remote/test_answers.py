"""The service's answers, as its documents show them and as they have been seen."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropscribe.model import ListedTask, SubtaskResult
from dropscribe.remote import answers
from dropscribe.remote.answers import ListPage, Unreadable


def task(**output):
    return {"request_id": "r1", "output": {"task_id": "t1", "task_status": "RUNNING"} | output}


def test_the_request_has_the_documented_form():
    body = json.loads(answers.submit_body("fun-asr", ["https://b/a.mp3"], {"channel_id": [0]}))

    assert body == {"model": "fun-asr", "input": {"file_urls": ["https://b/a.mp3"]}, "parameters": {"channel_id": [0]}}


def test_parameters_are_sent_even_when_there_are_none():
    assert json.loads(answers.submit_body("m", [], {}))["parameters"] == {}


@pytest.mark.parametrize("given_as", [{"system_reserved_filter": False}, '{"system_reserved_filter": false}'])
def test_the_word_filter_travels_as_a_string_of_json(given_as):
    sent = json.loads(answers.submit_body("m", [], {"special_word_filter": given_as}))["parameters"]

    assert sent == {"special_word_filter": '{"system_reserved_filter": false}'}


def test_a_mixed_outcome_is_read_file_by_file():
    body = task(
        task_status="SUCCEEDED",
        task_metrics={"TOTAL": 2, "SUCCEEDED": 1, "FAILED": 1},
        results=[
            {"file_url": "u1", "subtask_status": "SUCCEEDED", "transcription_url": "https://r/1?Signature=s"},
            {"file_url": "u2", "subtask_status": "FAILED", "code": "C", "message": "m https://x/?s=1"},
        ],
    ) | {"usage": {"duration": 9}}

    report = answers.read_task(body, "t1")

    assert report.results == (
        SubtaskResult("u1", "SUCCEEDED", "https://r/1?Signature=s"),
        SubtaskResult("u2", "FAILED", None, "C", "m <url>"),
    )
    assert (report.status, report.total, report.billed_seconds, report.request_id) == ("SUCCEEDED", 2, 9.0, "r1")


def test_an_answer_without_the_output_around_it_is_read_as_well():
    assert answers.read_task({"task_id": "t1", "task_status": "succeeded", "results": []}, "t1").results == ()


def test_a_single_result_counts_as_a_list_of_one():
    body = task(task_status="SUCCEEDED", result={"transcription_url": "u"}) | {"usage": {"seconds": 3}}

    report = answers.read_task(body, "t1")

    assert report.results == (SubtaskResult("", "SUCCEEDED", "u"),)
    assert report.billed_seconds == 3


def test_a_running_task_has_no_results_rather_than_empty_ones():
    assert answers.read_task(task(usage=None, results=None), "t1").results is None


@pytest.mark.parametrize("status", ["SUCCESS_WITH_NO_VALID_FRAGMENT", "UNKNOWN", "SUSPENDED", "BRAND_NEW"])
def test_a_status_is_kept_as_it_is(status):
    assert answers.read_task(task(task_status=status.lower()), "t1").status == status


def test_a_failed_task_keeps_its_code():
    report = answers.read_task(task(task_status="FAILED", code="InvalidFile.DownloadFailed", message="no"), "t1")

    assert (report.code, report.message) == ("InvalidFile.DownloadFailed", "no")


@pytest.mark.parametrize(
    "body",
    [{}, {"output": {"task_id": "t1"}}, task(task_id="t2"), task(results={"a": 1}), task(results=["x"])],
)
def test_an_answer_that_is_not_one_is_not_guessed_at(body):
    with pytest.raises(Unreadable):
        answers.read_task(body, "t1")


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_what_is_not_a_json_object_is_unreadable(data):
    with pytest.raises(Unreadable):
        answers.read_object(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"code":"A","message":"b","request_id":"r"}', ("A", "b", "r")),
        (b'{"error":{"code":"A","message":"b"}}', ("A", "b", "h")),
        (b'{"output":{"code":"A","message":"b"}}', ("A", "b", "h")),
        (b'{"code":null,"message":5}', ("", "5", "h")),
        (b"<html>", ("", "", "h")),
        (b"", ("", "", "h")),
    ],
)
def test_a_refusal_is_read_in_whatever_form_it_comes(data, said):
    refusal = answers.read_refusal(data, "h")

    assert (refusal.code, refusal.message, refusal.request_id) == said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["output", "results", "result", "usage", "data", "task_id", "task_status", "total", "x"]),
            inner,
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["output", "data", "tasks", "usage", "task_status", "total"]), json_values))
def test_no_answer_whatever_breaks_the_reading(body):
    for read in (lambda: answers.read_task(body, "t1"), lambda: answers.read_page(body)):
        with contextlib.suppress(Unreadable):
            read()
    answers.read_accepted(body)
    answers.read_refusal(json.dumps(body).encode(), None)


@pytest.mark.parametrize("name", ["data", "tasks"])
def test_a_page_of_the_list_is_read_under_both_names(name):
    row = {"task_id": "t", "status": "running", "model_name": "fun-asr", "gmt_create": 1795140000109}

    page = answers.read_page({"total": 1, "total_page": 1, "page_size": 10, name: [row]})

    assert page == ListPage((ListedTask("t", "RUNNING", "fun-asr", 1795140000.109),), 1, 1, 10)


def test_a_page_with_a_row_that_cannot_be_named_is_not_a_page():
    with pytest.raises(Unreadable):
        answers.read_page({"data": [{"status": "RUNNING"}]})


@pytest.mark.parametrize("body", [{"total": 0, "data": None}, {"total": 0}, {"output": {"total": 0}}])
def test_an_empty_list_may_be_null_or_left_out_where_the_count_says_that_it_is_empty(body):
    assert answers.read_page(body).tasks == ()


@pytest.mark.parametrize("body", [{}, {"data": None}, {"total": 3, "data": None}, {"total": 0, "data": "none"}])
def test_a_list_that_is_missing_is_not_taken_for_empty(body):
    with pytest.raises(Unreadable):
        answers.read_page(body)


def test_a_count_of_zero_beside_a_list_elsewhere_does_not_make_it_empty():
    page = answers.read_page({"total": 0, "output": {"total": 1, "data": [{"task_id": "t"}]}})

    assert ([task.task_id for task in page.tasks], page.total) == (["t"], 1)


def test_a_count_that_its_own_page_refutes_ends_no_list():
    assert answers.read_page({"total": 0, "data": [{"task_id": "t"}]}).total is None


def page(*ids: str, total=None, pages=None, size=None, newest_first=True) -> ListPage:
    tasks = tuple(ListedTask(each, "RUNNING", None, -float(each) if newest_first else float(each)) for each in ids)
    return ListPage(tasks, total, pages, size)


@pytest.mark.parametrize(
    ("pages", "ends"),
    [
        ([page()], True),
        ([page("1", "2", total=2)], True),
        ([page("1", "2", total=3)], False),
        ([page("1", "2", total=4, size=100)], False),
        ([page("1", pages=2)], False),
        ([page("1", pages=2), page("2", pages=2)], True),
        ([page("1", size=10)], True),
        ([page("1", "2", size=2)], False),
        ([page("1"), page("1")], True),
    ],
)
def test_a_list_goes_on_until_it_shows_all_it_speaks_of(pages, ends):
    assert answers.is_end(pages) == ends


@pytest.mark.parametrize(
    ("why", "pages", "whole"),
    [
        ("all is there", [page("1", "2", total=3), page("3", total=3)], True),
        ("one was created meanwhile", [page("1", "2", total=3), page("2", "3", total=4)], True),
        ("the oldest expired, at the end", [page("1", "2", total=4), page("3", total=3)], True),
        ("the list is gone before it was read to its end", [page("1", "2", total=3), page(total=0)], False),
        ("the list stops early", [page("1", "2", total=9), page(total=9)], False),
        (
            "the oldest expired, at the front, and pulled one past our eyes",
            [page("1", "2", total=4, newest_first=False), page("4", total=3, newest_first=False)],
            False,
        ),
    ],
)
def test_a_list_that_may_lack_a_task_is_not_whole(why, pages, whole):
    assert answers.is_whole(pages) == whole, why


def test_a_model_and_its_other_names_are_taken_for_the_same():
    assert answers.may_be_of("fun-asr", "fun-asr-2025-11-07")
    assert answers.may_be_of("fun-asr-2025-11-07", "fun-asr")
    assert answers.may_be_of("fun-asr", None)
    assert not answers.may_be_of("fun-asr", "paraformer-v2")


def test_the_servers_clock_is_read_from_its_date():
    assert answers.server_date("Fri, 20 Nov 2026 10:00:00 GMT") == 1795168800.0
    assert answers.server_date("yesterday") is None
    assert answers.server_date(None) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("Fri, 20 Nov 2026 10:00:10 GMT", 10.0),
        ("-1", 0.0),
        ("nan", None),
        ("soon", None),
        (None, None),
    ],
)
def test_how_long_to_keep_quiet_is_read_in_both_forms(header, seconds):
    assert answers.retry_after(header, 1795168800.0) == seconds
