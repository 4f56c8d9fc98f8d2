"""What an ended task means for each file: the word on a file is its own, found by its key."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.ledger.rows import Item
from dropscribe.model import SubtaskResult, TaskReport
from dropscribe.verdicts import (
    MISSING,
    Fetch,
    NoSpeech,
    Refuse,
    SendAgain,
    Verdict,
    is_terminal,
    judge,
    keys_under,
    match,
    names_any,
)

PREFIX = "dropscribe/0123/"
ATTEMPTS = 5


def item(number: int = 1, attempts: int = 0, tries: Mapping[str, int] | None = None) -> Item:
    return Item(number, f"{PREFIX}{number:04}.mp3", attempts, dict(tries or {}), 0)


A, B, C = item(1), item(2), item(3)


def url(of: Item, form: str = "https://b.oss-cn-beijing.aliyuncs.com/{key}?Expires=1&Signature=x") -> str:
    return form.format(key=of.key)


def success(of: Item, name: str = "result") -> SubtaskResult:
    return SubtaskResult(url(of), "SUCCEEDED", f"https://results/{name}-{of.recognition_id}")


def failure(of: Item, code: str | None, message: str | None = "said so") -> SubtaskResult:
    return SubtaskResult(url(of), "FAILED", None, code, message)


def report(*results: SubtaskResult, status: str = "SUCCEEDED", code: str | None = None) -> TaskReport:
    return TaskReport("task-1", status, results, code, "the task's message" if code else None)


def only(verdicts: list[Verdict]) -> Verdict:
    (one,) = verdicts
    return one


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELED", "SUCCESS_WITH_NO_VALID_FRAGMENT"])
def test_these_statuses_end_a_task(status: str) -> None:
    assert is_terminal(report(status=status))


@pytest.mark.parametrize("status", ["PENDING", "RUNNING", "SUSPENDED", "UNKNOWN", "SOMETHING_NEW"])
def test_every_other_status_counts_as_still_running(status: str) -> None:
    assert not is_terminal(report(status=status))


def test_results_in_any_order_find_their_files() -> None:
    verdicts = judge([A, B, C], report(success(C), success(A), success(B)), ATTEMPTS)

    assert verdicts == [Fetch(one, f"https://results/result-{one.recognition_id}") for one in (A, B, C)]


@pytest.mark.parametrize(
    "form",
    [
        "https://b.oss-cn-beijing.aliyuncs.com/{key}?Expires=1&Signature=a%2Fb",
        "https://b.oss-cn-beijing.aliyuncs.com/{key}",
        "http://media.example.com/{key}?x=1",
        "http://127.0.0.1:9000/bucket/{key}?x=1",
        "https://b.oss-cn-beijing.aliyuncs.com//{key}",
        "https://b.oss-cn-beijing.aliyuncs.com/{key}#t=0",
        "oss://b/{key}",
        "/{key}",
        "{key}",
    ],
    ids=["signed", "no query", "other host", "path style", "two slashes", "fragment", "oss", "path", "bare key"],
)
def test_a_file_is_known_by_its_key_however_its_address_is_written(form: str) -> None:
    assert match([A.key, B.key], [SubtaskResult(url(B, form), "SUCCEEDED", "u")]).keys() == {B.key}


@pytest.mark.parametrize("encoded", ["dropscribe%2F0123%2F0001.mp3", "dropscribe/0123/0001%2Emp3"])
def test_a_percent_encoded_address_is_the_same_address(encoded: str) -> None:
    found = match([A.key], [SubtaskResult(f"https://b.oss-cn-beijing.aliyuncs.com/{encoded}?x=1", "SUCCEEDED", "u")])

    assert found.keys() == {A.key}


@pytest.mark.parametrize(
    "foreign",
    [
        "https://b.oss-cn-beijing.aliyuncs.com/theirs/0001.mp3",
        "https://b.oss-cn-beijing.aliyuncs.com/?file=dropscribe/0123/0001.mp3",
        "https://b.oss-cn-beijing.aliyuncs.com/dropscribe/0123/0001.mp3.bak",
        "https://b.oss-cn-beijing.aliyuncs.com/xdropscribe/0123/0001.mp3",
        "http://[not-an-address/dropscribe/0123/0001.mp3",
    ],
    ids=["other key", "key in the query", "longer", "longer in front", "no address at all"],
)
def test_a_foreign_result_is_nobodys(foreign: str) -> None:
    verdicts = judge(
        [A, B], report(SubtaskResult(foreign, "SUCCEEDED", "https://results/theirs"), success(B)), ATTEMPTS
    )

    assert isinstance(verdicts[0], SendAgain) and verdicts[0].code == MISSING
    assert verdicts[1] == Fetch(B, "https://results/result-2")


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_words_on_one_file_the_success_counts(order: int) -> None:
    both = [success(A), failure(A, "SERVER_ERROR")][::order]

    assert only(judge([A], report(*both), ATTEMPTS)) == Fetch(A, "https://results/result-1")


def test_results_without_any_address_are_taken_in_their_order_if_the_numbers_agree() -> None:
    nameless = [replace(success(one), file_url="") for one in (A, B)]

    assert [verdict.item for verdict in judge([A, B], report(*nameless), ATTEMPTS)] == [A, B]
    assert [type(verdict) for verdict in judge([A, B], report(*nameless), ATTEMPTS)] == [Fetch, Fetch]
    assert match([A.key, B.key, C.key], nameless) == {}


def test_the_word_on_a_file_that_is_judged_already_is_never_taken_for_that_on_the_one_that_is_left() -> None:
    """Two travelled, the service answers the first alone, and the first is home: one file, one result."""
    (left,) = judge([B], report(success(A)), ATTEMPTS, [A.key, B.key])

    assert isinstance(left, SendAgain) and left.code == MISSING


def test_results_without_any_address_keep_their_order_when_some_files_are_judged_already() -> None:
    nameless = [replace(success(one), file_url="") for one in (A, B)]

    assert judge([B], report(*nameless), ATTEMPTS, [A.key, B.key]) == [Fetch(B, "https://results/result-2")]


def test_the_one_result_of_a_task_with_files_that_are_not_known_to_be_ours_is_nobodys() -> None:
    stranger = replace(success(A), file_url="https://elsewhere/x.mp3")

    (left,) = judge([A], report(stranger), ATTEMPTS, [A.key, ""])

    assert isinstance(left, SendAgain) and left.code == MISSING


def test_a_file_without_a_word_is_sent_again_alone_twice_because_each_time_may_have_been_paid() -> None:
    tries = [judge([item(1, n, {MISSING: n}), B], report(success(B)), ATTEMPTS)[0] for n in range(ATTEMPTS)]

    assert [type(one) for one in tries] == [SendAgain] * 2 + [Refuse] * 3
    first = tries[0]
    assert isinstance(first, SendAgain) and first.company == 1 and first.charged and not first.reupload


def test_a_task_that_succeeded_without_any_result_speaks_of_no_file() -> None:
    for empty in (report(), replace(report(), results=None)):
        verdicts = judge([A, B], empty, ATTEMPTS)
        assert [(type(one), one.code) for one in verdicts if isinstance(one, SendAgain)] == [(SendAgain, MISSING)] * 2


def test_a_task_that_succeeded_with_no_success_at_all_judges_each_file_by_its_own_word() -> None:
    verdicts = judge([A, B], report(failure(A, "DECODE_ERROR"), failure(B, "SERVER_ERROR")), ATTEMPTS)

    assert [type(one) for one in verdicts] == [Refuse, SendAgain]


def test_a_failed_task_with_results_judges_each_file_by_its_own_word() -> None:
    words = (success(A), failure(B, "DECODE_ERROR"))

    verdicts = judge([A, B], report(*words, status="FAILED", code="InternalError"), ATTEMPTS)

    assert [type(one) for one in verdicts] == [Fetch, Refuse]
    assert isinstance(verdicts[1], Refuse) and verdicts[1].code == "DECODE_ERROR"


@pytest.mark.parametrize(
    "word",
    [
        SubtaskResult(url(A), "SUCCESS_WITH_NO_VALID_FRAGMENT"),
        SubtaskResult(url(A), "FAILED", None, "SUCCESS_WITH_NO_VALID_FRAGMENT", "no speech"),
        SubtaskResult(url(A), "SUCCEEDED", None, "SUCCESS_WITH_NO_VALID_FRAGMENT", "no speech"),
        SubtaskResult(url(A), "FAILED", None, "ASR_RESPONSE_HAVE_NO_WORDS", None),
        SubtaskResult(url(A), "FAILED", None, None, "ASR_RESPONSE_HAVE_HO_WORDS"),
    ],
    ids=["status", "code", "code of a success", "no words", "in the message"],
)
def test_a_recording_in_which_nobody_speaks_is_no_failure(word: SubtaskResult) -> None:
    assert isinstance(only(judge([A], report(word), ATTEMPTS)), NoSpeech)


@pytest.mark.parametrize(
    "said",
    [
        TaskReport("task-1", "SUCCESS_WITH_NO_VALID_FRAGMENT"),
        TaskReport("task-1", "SUCCESS_WITH_NO_VALID_FRAGMENT", ()),
        TaskReport("task-1", "FAILED", None, "SUCCESS_WITH_NO_VALID_FRAGMENT"),
    ],
)
def test_no_speech_said_of_a_task_of_one_is_said_of_its_file(said: TaskReport) -> None:
    assert isinstance(only(judge([A], said, ATTEMPTS)), NoSpeech)


@pytest.mark.parametrize(
    ("status", "code", "company"),
    [
        ("FAILED", "DECODE_ERROR", 1),
        ("FAILED", "InternalError", 1),
        ("FAILED", None, 1),
        ("CANCELED", None, 1),
        ("SUCCESS_WITH_NO_VALID_FRAGMENT", None, 1),
        ("FAILED", "SUCCESS_WITH_NO_VALID_FRAGMENT", 1),
        ("FAILED", "InternalError.Timeout", 2),
    ],
)
def test_a_word_on_a_whole_task_of_several_charges_nobody_and_each_goes_in_smaller_company(
    status: str, code: str | None, company: int
) -> None:
    said = TaskReport("task-1", status, None, code, "all of them")

    for verdict in judge([A, B, C, item(4), item(5)], said, ATTEMPTS):
        assert isinstance(verdict, SendAgain), "who is to blame, or silent, nobody can say"
        assert verdict.company == company and not verdict.charged


def test_a_failed_task_that_names_only_foreign_files_counts_as_one_without_results() -> None:
    said = report(failure(C, "DECODE_ERROR"), status="FAILED", code="InternalError")

    assert [type(one) for one in judge([A, B], said, ATTEMPTS)] == [SendAgain, SendAgain]


@pytest.mark.parametrize(
    ("code", "further_tries"),
    [
        ("FILE_DOWNLOAD_FAILED", 3),
        ("FILE_403_FORBIDDEN", 2),
        ("SERVER_ERROR", 2),
        ("FILE_404_NOT_FOUND", 1),
        ("SOMETHING_NEW", 1),
        ("DECODE_ERROR", 0),
    ],
)
def test_each_code_deserves_its_own_number_of_tries(code: str, further_tries: int) -> None:
    kinds = [
        type(only(judge([item(1, n, {code: n})], report(failure(A, code)), ATTEMPTS))) for n in range(further_tries + 1)
    ]

    assert kinds == [SendAgain] * further_tries + [Refuse]


def test_all_tries_together_are_bounded_whatever_their_codes() -> None:
    last = item(1, attempts=ATTEMPTS - 1, tries={"FILE_403_FORBIDDEN": 2, "FILE_DOWNLOAD_FAILED": 2})

    assert isinstance(only(judge([last], report(failure(A, "SERVER_ERROR")), ATTEMPTS)), Refuse)
    assert isinstance(only(judge([A], report(failure(A, "SERVER_ERROR")), 1)), Refuse)


def test_an_object_that_was_gone_is_uploaded_anew() -> None:
    verdict = only(judge([A], report(failure(A, "FILE_404_NOT_FOUND")), ATTEMPTS))

    assert isinstance(verdict, SendAgain) and verdict.reupload


def test_a_refusal_names_the_services_own_code_and_what_to_do() -> None:
    verdict = only(judge([A], report(failure(A, "FILE_TOO_LARGE", "too large")), ATTEMPTS))

    assert isinstance(verdict, Refuse)
    assert (verdict.code, verdict.message) == ("FILE_TOO_LARGE", "too large")
    assert "cut the recording" in verdict.remedy


@pytest.mark.parametrize("message", ["FILE_PARSE_FAILED", "asr failed: FILE_PARSE_FAILED"])
def test_a_code_that_stands_in_the_message_alone_is_the_services_own(message: str) -> None:
    verdict = only(judge([A], report(failure(A, None, message)), ATTEMPTS))

    assert isinstance(verdict, Refuse)
    assert (verdict.code, verdict.message) == ("FILE_PARSE_FAILED", message)


def test_a_refusal_after_the_last_try_still_says_what_could_be_wrong() -> None:
    worn = item(1, 3, {"FILE_DOWNLOAD_FAILED": 3})

    verdict = only(judge([worn], report(failure(A, "FILE_DOWNLOAD_FAILED")), ATTEMPTS))

    assert isinstance(verdict, Refuse)
    assert "public_endpoint" in verdict.remedy and "tried 4 times" in verdict.remedy


def test_a_success_that_names_no_result_is_not_taken_for_one() -> None:
    verdict = only(judge([A], report(SubtaskResult(url(A), "SUCCEEDED")), ATTEMPTS))

    assert isinstance(verdict, SendAgain) and verdict.code == "ResultMissing"


def test_a_task_is_ours_if_its_results_name_one_of_our_keys() -> None:
    assert names_any(report(success(A)), [A.key, B.key])
    assert not names_any(report(success(C)), [A.key, B.key])
    assert not names_any(replace(report(), results=None), [A.key])


def test_the_keys_below_our_prefix_are_read_out_of_a_task() -> None:
    foreign = SubtaskResult("https://b/other/0123/x.mp3", "SUCCEEDED")
    path_style = SubtaskResult(url(B, "http://127.0.0.1:9000/bucket/{key}?x=1"), "SUCCEEDED")

    assert keys_under(report(success(A), foreign, path_style), PREFIX) == [A.key, B.key]


@given(st.permutations([1, 2, 3, 4]), st.sets(st.integers(1, 4)), st.lists(st.integers(5, 8)))
def test_whatever_the_answer_holds_every_file_gets_exactly_one_verdict_and_its_own_result(
    order: list[int], answered: set[int], foreign: list[int]
) -> None:
    items = [item(n) for n in (1, 2, 3, 4)]
    rows = [success(item(n)) for n in order if n in answered] + [success(item(n)) for n in foreign]

    verdicts = judge(items, report(*rows), ATTEMPTS)

    assert [verdict.item for verdict in verdicts] == items
    fetched = {one.item.recognition_id: one.url for one in verdicts if isinstance(one, Fetch)}
    assert fetched == {n: f"https://results/result-{n}" for n in answered}
