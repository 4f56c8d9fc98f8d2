"""What each answer of the storage makes the house do."""

import pytest

from dropscribe.errors import OutOfOrder, Refused
from dropscribe.remote.storage_codes import STORAGE_CODES, classify_storage, passes_soon, unreachable


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (400, "PublicEndpointForbidden", "storage.cname"),
        (403, "SecurityTokenExpired", "session_token"),
        (403, "RequestTimeTooSkewed", "clock"),
        (403, "InvalidAccessKeyId", "access_key_id"),
        (403, "SignatureDoesNotMatch", "access_key_secret"),
        (403, "AccessDenied", "oss:PutObject"),
        (404, "NoSuchBucket", "storage.bucket"),
        (403, "UserDisable", "arrears"),
        (403, "NeverHeardOf", "oss:PutObject"),
        (400, "NeverHeardOf", "documentation"),
        (503, "", "again by itself"),
    ],
)
def test_a_fault_of_account_or_service_opens_the_storage_and_says_what_to_do(status, code, word):
    fault = classify_storage(status, code, "", "")

    assert isinstance(fault, OutOfOrder)
    assert (fault.scope, fault.code) == ("storage", code or f"HTTP {status}")
    assert word in fault.remedy


def test_the_finer_error_number_is_looked_up_too():
    assert "storage.cname" in classify_storage(400, "SomethingElse", "0048-00000401", "").remedy


def test_a_bucket_in_another_region_is_told_from_a_missing_right():
    message = "The bucket you are attempting to access must be addressed using the specified endpoint."

    assert "storage.region" in classify_storage(403, "AccessDenied", "", message).remedy


def test_a_request_that_is_signed_for_another_region_names_the_key_that_is_wrong():
    message = "Invalid signing region in Authorization header: cn-shanghai. This bucket is in cn-beijing."

    assert "storage.region" in classify_storage(400, "InvalidArgument", "", message).remedy


@pytest.mark.parametrize("code", ["InvalidObjectName", "EntityTooLarge"])
def test_a_fault_of_the_file_refuses_the_file_alone(code):
    fault = classify_storage(400, code, "", "", "r1")

    assert isinstance(fault, Refused)
    assert (fault.request_id, bool(fault.remedy)) == ("r1", True)


def test_a_message_shows_no_url():
    assert "Signature" not in classify_storage(403, "X", "", "see https://b/k?Signature=s").message


def test_only_what_may_be_over_in_seconds_is_tried_again_at_once():
    assert passes_soon(500, "InternalError")
    assert passes_soon(429, "")
    assert passes_soon(400, "RequestTimeout")
    assert not passes_soon(403, "AccessDenied")


def test_every_row_about_settings_or_files_has_a_remedy():
    assert [row.codes for row in STORAGE_CODES if row.means != "passes" and not row.remedy.endswith(".")] == []


def test_a_network_fault_is_told_in_the_systems_words():
    outer = OSError("HTTPConnectionPool: url: /bucket/key?x-oss-signature=s")
    outer.__context__ = ConnectionRefusedError(111, "Connection refused")

    fault = unreachable(outer)

    assert fault.message == "the storage cannot be reached: Connection refused"
