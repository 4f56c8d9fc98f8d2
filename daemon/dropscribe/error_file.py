"""The file that says, beside a failed source, why it failed and what to do."""

import json
import re
from datetime import UTC, datetime

from dropscribe.model import Failure
from dropscribe.names import display
from dropscribe.printable import in_json

# Greedy up to a space or quote: a URL's query is a secret, a few lost words after it are not.
# No word border in front: Chinese text stands right before a URL.
_URL = re.compile(r'[a-z][a-z0-9+.\-]{0,15}:(?:\\?/){2}[^\s"<>]*', re.IGNORECASE)


def error_json(failure: Failure, inbox: str, source: bytes, failed_at: float) -> bytes:
    """The error file's content, UTF-8. `source` is the path within the inbox, `failed_at` seconds since the epoch."""
    body = {
        "code": failure.code,
        "message": without_urls(failure.message),
        "remedy": without_urls(failure.remedy),
        "request_id": failure.request_id,
        "task_id": failure.task_id,
        "attempts": failure.attempts,
        "failed_at": datetime.fromtimestamp(failed_at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "inbox": inbox,
        "source": display(source),
    }
    return (in_json(json.dumps(body, ensure_ascii=False, indent=2)) + "\n").encode("utf-8", "replace")


def without_urls(message: str) -> str:
    """The message with `[URL]` in place of every URL."""
    return _URL.sub("[URL]", message)
