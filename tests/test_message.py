"""What a command or a webhook is told, and how it can be believed."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest

from dropscribe.ledger.notices import Message, Notice
from dropscribe.message import LONGEST_WAIT, body_of, environment_of, rest, signed_headers

AT = 1_795_000_000.5


def notice(number: int = 1, **changes: Any) -> Notice:
    plain: dict[str, Any] = dict.fromkeys(Notice.__slots__) | {"id": number, "at": AT, "outputs": (), "body": {}}
    return Notice(**(plain | changes))


def delivered(number: int = 1, path: bytes = b"a/talk.mp3") -> Notice:
    return notice(number, inbox="talks", path=path, moved_to=b"/done/" + path, outputs=(b"/out/talk.json",))


FAILED = notice(
    7,
    inbox="talks",
    path=b"bad\xff.mp3",
    code="DECODE_ERROR",
    message="key sk-1 refused",
    remedy="convert it",
    error_file=b"/failed/bad.mp3.error.json",
)
ALARM = notice(
    9, body={"scope": "folder:/srv", "code": "FolderMissing", "message": "gone", "remedy": "mount", "since": AT}
)


def told(message: Message) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(body_of(message, "ledger", lambda text: text.replace("sk-1", "***")))
    return content


def test_many_files_are_told_of_in_one_message_each_with_an_id_of_its_own() -> None:
    content = told(Message("msg_1", "webhook", "delivered", 0, (delivered(1), delivered(2, b"b.mp3"))))

    assert (content["schema"], content["id"], content["event"], content["count"]) == (
        "dropscribe/notice/1",
        "msg_1",
        "delivered",
        2,
    )
    assert [item["id"] for item in content["items"]] == ["ledger-1_1a1ee565ff4", "ledger-2_1a1ee565ff4"]
    assert content["items"][0] | {"task_id": None} == {
        "id": "ledger-1_1a1ee565ff4",
        "at": "2026-11-18T11:06:40.500Z",
        "inbox": "talks",
        "path": "a/talk.mp3",
        "moved_to": "/done/a/talk.mp3",
        "outputs": ["/out/talk.json"],
        "task_id": None,
    }


def test_a_failure_says_why_and_what_to_do_and_no_secret() -> None:
    [item] = told(Message("msg_7", "webhook", "failed", 0, (FAILED,)))["items"]

    assert (item["path"], item["code"], item["remedy"]) == ("bad\\xff.mp3", "DECODE_ERROR", "convert it")
    assert item["message"] == "key *** refused"


def test_a_scope_says_what_is_out_of_order() -> None:
    [item] = told(Message("msg_9", "webhook", "folder-alarm", 0, (ALARM,)))["items"]

    assert (item["scope"], item["code"], item["since"]) == ("folder:/srv", "FolderMissing", item["at"])


def test_a_command_finds_the_gist_in_its_environment() -> None:
    assert environment_of(Message("msg_1", "command", "delivered", 0, (delivered(), delivered(2)))) == {
        "DROPSCRIBE_EVENT": "delivered",
        "DROPSCRIBE_ID": "msg_1",
        "DROPSCRIBE_COUNT": "2",
        "DROPSCRIBE_INBOX": "talks",
        "DROPSCRIBE_PATH": "a/talk.mp3",
        "DROPSCRIBE_CODE": "",
        "DROPSCRIBE_MESSAGE": "",
    }
    assert environment_of(Message("msg_9", "command", "folder-alarm", 0, (ALARM,)))["DROPSCRIBE_REMEDY"] == "mount"


def test_the_signature_is_that_of_the_standard_webhooks() -> None:
    """The example of the specification's own test vectors: id.timestamp.body, HMAC-SHA256, base64."""
    key, body = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), b'{"test": 2432232314}'

    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, key)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    expected = hmac.new(key, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert headers["webhook-timestamp"] == "1614265330"


def test_the_snippet_in_the_documents_verifies_what_is_sent_and_nothing_else() -> None:
    snippet = (Path(__file__).parents[1] / "docs/notify.md").read_text().split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(snippet, names)
    is_ours, now, body = names["is_ours"], int(time.time()), b'{"a": 1}'
    secret = "whsec_" + base64.b64encode(b"the key").decode()

    for given, key in ((secret, b"the key"), ("a-plain-secret", b"a-plain-secret")):
        headers = signed_headers("msg_1", now, body, key)
        assert is_ours(headers, body, given)
        assert not is_ours(headers, body + b" ", given)
        assert not is_ours(signed_headers("msg_1", now - 3600, body, key), body, given)
        assert not is_ours(signed_headers("msg_1", now, body, b"another"), body, given)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5.0), (2, 10.0), (3, 20.0), (40, LONGEST_WAIT)])
def test_waits_grow_to_a_bound(failures: int, seconds: float) -> None:
    assert rest(failures) == seconds
