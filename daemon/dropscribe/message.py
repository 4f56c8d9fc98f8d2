"""A message to a command or a webhook: its text, its signature, and when it is tried again. Pure.

The signature is that of the Standard Webhooks (https://www.standardwebhooks.com): base64 of the HMAC-SHA256 of
`id.timestamp.body`, so that receivers can use a library that is there already. docs/notify.md tells all of it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from dropscribe.ledger.notices import OF_FILES, Message, Notice, distinct
from dropscribe.names import display

SCHEMA = "dropscribe/notice/1"
FIRST_WAIT, LONGEST_WAIT = 5.0, 900.0
LONGEST_VALUE = 4000
"""Characters of one variable: the kernel bounds them all together."""


def body_of(message: Message, ledger_id: str, clean: Callable[[str], str]) -> bytes:
    """JSON; `clean` takes secrets out of other people's words."""
    tell = _file if message.event in OF_FILES else _scope
    content = {
        "schema": SCHEMA,
        "id": message.id,
        "ledger": ledger_id,
        "event": message.event,
        "count": len(message.notices),
        "items": [_item(notice, ledger_id) | tell(notice, clean) for notice in message.notices],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _item(notice: Notice, ledger_id: str) -> dict[str, Any]:
    return {"id": f"{ledger_id}-{distinct(notice.id, notice.at)}", "at": _utc(notice.at)}


def _file(notice: Notice, clean: Callable[[str], str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "inbox": notice.inbox,
        "path": _shown(notice.path),
        "moved_to": _shown(notice.moved_to),
        "outputs": [display(path) for path in notice.outputs],
    }
    if notice.error_file is not None or notice.code is not None:
        words = {"message": clean(notice.message or ""), "remedy": notice.remedy or ""}
        told |= {"code": notice.code, **words, "error_file": _shown(notice.error_file)}
    return told | {"task_id": notice.task_id}


def _scope(notice: Notice, clean: Callable[[str], str]) -> dict[str, Any]:
    told = {key: clean(value) if isinstance(value, str) else value for key, value in notice.body.items()}
    return told | {"since": _utc(float(notice.body.get("since", notice.at)))}


def _shown(path: bytes | None) -> str | None:
    return None if path is None else display(path)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def environment_of(message: Message) -> dict[str, str]:
    """The same in short, for a command that reads no JSON: what the first item says."""
    first = message.notices[0]
    told = {"EVENT": message.event, "ID": message.id, "COUNT": str(len(message.notices))}
    if message.event in OF_FILES:
        told |= {"INBOX": first.inbox or "", "PATH": display(first.path or b"")}
        told |= {"CODE": first.code or "", "MESSAGE": first.message or ""}
    else:
        told |= {key.upper(): str(first.body.get(key) or "") for key in ("scope", "code", "message", "remedy")}
    return {f"DROPSCRIBE_{name}": value.replace("\0", "")[:LONGEST_VALUE] for name, value in told.items()}


def signed_headers(message_id: str, timestamp: int, body: bytes, key: bytes) -> Mapping[str, str]:
    """The headers of a webhook; `timestamp` is that of this try, in seconds since the epoch."""
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "user-agent": "dropscribe",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def rest(failures: int) -> float:
    """Seconds until the next try after so many failures in a row (from 1): doubles."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 30))
