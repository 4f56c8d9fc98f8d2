"""What each answer of the service makes the house do."""

import time

import pytest

from dropscribe.error_codes import (
    RECIPE,
    REQUEST_CODES,
    SUBTASK_CODES,
    Empty,
    Permanent,
    TryAgain,
    classify_request,
    classify_subtask,
    remedy_for,
    wants_smaller_batch,
    without_urls,
)
from dropscribe.errors import Ambiguous, OutOfOrder, RequestRefused


def submit(status: int, code: str, message: str = "") -> object:
    return classify_request(status, code, message, "submit", "fun-asr")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "InvalidApiKey"),
        (401, "invalid_api_key"),
        (401, "NOT AUTHORIZED"),
        (403, "Workspace.AccessDenied"),
        (404, "WorkSpaceNotFound"),
        (404, "NotFound"),
        (407, "SomethingNew"),
        (451, ""),
    ],
)
def test_a_key_that_nobody_knows_shuts_the_api_loudly_and_says_what_to_do(status, code):
    fault = submit(status, code)

    assert isinstance(fault, OutOfOrder)
    assert (fault.scope, fault.quiet) == ("api", False)
    assert fault.remedy.endswith(".")
    assert classify_request(status, code, "", "query").scope == "api"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AccessDenied"),
        (403, "AllocationQuota.FreeTierOnly"),
        (400, "Arrearage"),
        (403, "isv.OUT_OF_SERVICE"),
        (429, "PostpaidBillOverdue"),
        (429, "PrepaidBillOverdue"),
        (429, "CommodityNotPurchased"),
        (402, ""),
    ],
)
def test_an_account_that_may_not_submit_is_asked_all_the_same_and_is_told_what_to_do(status, code):
    fault = submit(status, code)

    assert isinstance(fault, OutOfOrder)
    assert (fault.scope, fault.quiet) == ("submits", False)
    assert fault.remedy.endswith(".")
    assert classify_request(status, code, "", "query").scope == "queries"


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "ModelNotFound", ""),
        (404, "model_not_found", ""),
        (403, "AccessDenied.Unpurchased", ""),
        (403, "Model.AccessDenied", ""),
    ],
)
def test_a_fault_of_the_model_shuts_only_that_model(status, code, message):
    fault = submit(status, code, message)

    assert isinstance(fault, OutOfOrder)
    assert fault.scope == "model:fun-asr"
    assert fault.remedy


def test_a_vocabulary_that_is_gone_shuts_the_model_only_with_these_settings():
    fault = submit(400, "InvalidParameter", "The vocabulary vocab-abc does not exist.")

    assert (fault.scope, "vocabulary_id" in fault.remedy) == (RECIPE, True)


@pytest.mark.parametrize("code", ["Throttling", "Throttling.RateQuota", "Throttling.BurstRate", "limit_requests", ""])
def test_a_rate_limit_waits_quietly_in_the_scope_of_the_call(code):
    at_submit = submit(429, code)
    at_query = classify_request(429, code, "", "query", retry_after=7.0)

    assert (at_submit.scope, at_submit.quiet) == ("model:fun-asr", True)
    assert (at_query.scope, at_query.quiet, at_query.retry_after) == ("queries", True, 7.0)


def test_a_used_up_quota_is_said_aloud_and_waits_minutes():
    fault = submit(429, "Throttling.AllocationQuota")

    assert isinstance(fault, OutOfOrder)
    assert not fault.quiet
    assert fault.retry_after >= 60


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidParameter"),
        (400, "BadRequest.TooLarge"),
        (400, "InvalidURL.ConnectionRefused"),
        (400, "InvalidFile.DownloadFailed"),
        (400, "DataInspectionFailed"),
        (400, "SomethingNew"),
        (404, ""),
        (409, ""),
        (413, ""),
        (422, ""),
    ],
)
def test_a_submit_refused_for_its_contents_blames_no_account(status, code):
    fault = submit(status, code, "These files cannot be taken.")

    assert isinstance(fault, RequestRefused)
    assert fault.code == (code or f"HTTP {status}")


def test_a_body_that_is_too_large_is_sent_in_smaller_ones_though_nobody_says_a_word():
    assert isinstance(submit(413, ""), RequestRefused)


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_submit_refused_without_a_word_is_no_fault_of_its_files(status):
    fault = submit(status, "")

    assert isinstance(fault, OutOfOrder)
    assert (fault.scope, fault.code, fault.quiet) == ("submits", f"HTTP {status}", False)
    assert "model_studio.endpoint" in fault.remedy


@pytest.mark.parametrize("status", [500, 502, 503, 504, 301, 302, 408, 499])
def test_a_submit_whose_status_does_not_tell_is_ambiguous(status):
    assert isinstance(submit(status, "InternalError"), Ambiguous)


@pytest.mark.parametrize("status", [400, 404, 409, 500, 503, 302])
def test_a_question_that_is_refused_harms_no_file(status):
    fault = classify_request(status, "", "", "query")

    assert isinstance(fault, OutOfOrder)
    assert fault.scope == "queries"


def test_codes_are_compared_without_regard_to_case():
    assert submit(401, "INVALIDAPIKEY").remedy == submit(401, "InvalidApiKey").remedy


@pytest.mark.parametrize(
    ("status", "message", "scope", "code"),
    [
        (400, "Arrearage", "submits", "Arrearage"),
        (403, "AllocationQuota.FreeTierOnly: the free quota is used up", "submits", "AllocationQuota.FreeTierOnly"),
        (404, "model_not_found", "model:fun-asr", "model_not_found"),
        (400, "invalid_api_key", "api", "invalid_api_key"),
    ],
)
def test_a_refused_request_may_have_its_code_in_the_message_alone(status, message, scope, code):
    fault = submit(status, "", message)

    assert isinstance(fault, OutOfOrder)
    assert (fault.scope, fault.code) == (scope, code)


def test_a_sentence_that_begins_with_a_code_is_no_code():
    fault = submit(400, "", "InvalidParameter: no such thing")

    assert isinstance(fault, RequestRefused)
    assert fault.code == "HTTP 400"


def test_the_code_of_a_refused_request_counts_more_than_its_message():
    fault = submit(400, "Arrearage", "InvalidParameter: no")

    assert isinstance(fault, OutOfOrder)
    assert fault.code == "Arrearage"


def test_the_code_and_request_id_are_kept_verbatim():
    fault = classify_request(401, "InvalidApiKey", "No such key.", "list", request_id="r-1")

    assert (fault.code, fault.message, fault.request_id) == ("InvalidApiKey", "No such key.", "r-1")


def test_a_message_never_shows_a_url_or_its_signature():
    fault = submit(400, "InvalidURL", "cannot get https://b.example.com/in/a.mp3?x-oss-signature=abc now")

    assert "abc" not in fault.message
    assert fault.message == "cannot get <url> now"


@pytest.mark.parametrize("code", ["SUCCESS_WITH_NO_VALID_FRAGMENT", "asr_response_have_no_words"])
def test_silence_is_an_empty_transcript(code):
    assert classify_subtask(code, None) == Empty()


@pytest.mark.parametrize(
    ("code", "bound"),
    [
        ("InvalidFile.DownloadFailed", 3),
        ("FILE_DOWNLOAD_FAILED", 3),
        ("FILE_SERVER_ERROR", 3),
        ("CONTENT_LENGTH_CHECK_FAILED", 3),
        ("FILE_403_FORBIDDEN", 2),
        ("FILE_404_NOT_FOUND", 1),
        ("SERVER_ERROR", 2),
        ("RECOGNIZE_FAILED", 2),
        ("InternalError.Algo", 2),
        ("InternalError.Timeout", 1),
        ("FILE_TRANS_TASK_EXPIRED", 1),
        ("NEVER_HEARD_OF", 1),
    ],
)
def test_what_may_pass_is_tried_again_so_many_times_after_the_first(code, bound):
    verdict = classify_subtask(code, "")

    assert isinstance(verdict, TryAgain)
    assert (verdict.bound, verdict.tries) == (bound, bound + 1)
    assert verdict.remedy


def test_only_a_missing_object_is_uploaded_again():
    again = [code for row in SUBTASK_CODES for code in row.codes if getattr(row.verdict, "reupload", False)]

    assert again == ["FILE_404_NOT_FOUND"]


@pytest.mark.parametrize(
    "code",
    [
        "NO_VALID_AUDIO_ERROR",
        "DECODE_ERROR",
        "UNSUPPORTED_FORMAT",
        "FILE_TOO_LARGE",
        "AUDIO_DURATION_TOO_LONG",
        "REQUEST_INVALID_FILE_URL_VALUE",
        "InvalidFile.Format",
        "DataInspectionFailed",
    ],
)
def test_a_file_at_fault_is_not_tried_again_and_says_what_to_do(code):
    verdict = classify_subtask(code, "")

    assert isinstance(verdict, Permanent)
    assert verdict.remedy.endswith(".")


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("FILE_403_FORBIDDEN", TryAgain),
        ("decode_error: bad header", Permanent),
        ("Invalid backend response received (missing status name)", Permanent),
        ("SUCCESS_WITH_NO_VALID_FRAGMENT", Empty),
    ],
)
def test_a_code_that_stands_in_the_message_counts(message, verdict):
    assert isinstance(classify_subtask("SomethingNew", message), verdict)
    assert isinstance(classify_subtask(None, message), verdict)


def test_the_code_counts_more_than_the_message():
    assert isinstance(classify_subtask("DECODE_ERROR", "FILE_403_FORBIDDEN"), Permanent)


def test_content_inspection_that_could_not_download_is_tried_once_more():
    assert isinstance(classify_subtask("DataInspectionFailed", "Download of the file timed out"), TryAgain)


def test_a_failure_without_any_reason_is_tried_once_more():
    assert classify_subtask(None, None).bound == 1


def test_a_task_that_took_too_long_is_halved():
    assert wants_smaller_batch("internalerror.timeout")
    assert not wants_smaller_batch("DECODE_ERROR")
    assert not wants_smaller_batch(None)


def test_every_row_that_can_fail_a_file_has_a_remedy_in_a_sentence():
    remedies = [row.remedy for row in REQUEST_CODES]
    remedies += [row.verdict.remedy for row in SUBTASK_CODES if not isinstance(row.verdict, Empty)]

    assert [each for each in remedies if not each.endswith(".")] == []
    assert remedy_for("InvalidParameter").startswith("Check")
    assert remedy_for("NEVER_HEARD_OF")


def test_no_row_is_hidden_by_one_above_it():
    for row in SUBTASK_CODES:
        for code in (each for each in row.codes if "*" not in each):
            assert classify_subtask(code, row.says) == row.verdict


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("get http://h/p?a=b failed", "get <url> failed"),
        ('Get "oss://bucket/key" failed', 'Get "<url>" failed'),
        ("path /bucket/key?Signature=x&Expires=1 denied", "path <url> denied"),
        ("what is it? nothing", "what is it? nothing"),
        ("two\n lines", "two lines"),
    ],
)
def test_urls_and_query_strings_are_taken_out_of_words(text, shown):
    assert without_urls(text) == shown


def test_a_huge_message_is_cut_short_without_taking_long():
    began = time.process_time()

    shown = without_urls("a" * 60_000 + "?" * 60_000)

    assert len(shown) <= 500
    assert time.process_time() - began < 1
