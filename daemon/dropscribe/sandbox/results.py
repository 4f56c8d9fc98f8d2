"""Result documents under signed URLs that expire, as the service's own bucket serves them."""

import hashlib
import hmac
import json
from urllib.parse import quote

from dropscribe.sandbox import transcripts
from dropscribe.sandbox.answers import Answer, OssError
from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.tasks import TaskBook

PREFIX = "/results/"
_SECRET = b"the sandbox's own result bucket"


def result_path(task_id: str, index: int, expires: float) -> str:
    """Path and query of the result of one file; answers until `expires` on the sandbox's clock."""
    path, until = f"{PREFIX}prod/{task_id}-{index}.json", int(expires)
    return f"{path}?Expires={until}&OSSAccessKeyId=sandbox-results&Signature={quote(_sign(path, until), safe='')}"


def task_of(path: str) -> str:
    """The task id in the path of a result."""
    return path.removeprefix(f"{PREFIX}prod/").removesuffix(".json").rpartition("-")[0]


def serve(call: Call, book: TaskBook, now: float) -> Answer:
    """The document, or OssError 403/404 as the storage in front of it would refuse."""
    if "authorization" in call.headers:
        message = (
            "A signed URL must be fetched without an Authorization header: a key was sent where it does not belong."
        )
        raise OssError(403, "AccessDenied", message, "0002-00000038")
    if call.method != "GET":
        raise OssError(403, "SignatureDoesNotMatch", "This URL was signed for GET.", "0002-00000201")
    expires = call.parameter("Expires")
    if not expires.isdigit() or not hmac.compare_digest(call.parameter("Signature"), _sign(call.path, int(expires))):
        raise OssError(403, "SignatureDoesNotMatch", "The request signature does not match.", "0002-00000201")
    if now > int(expires):
        raise OssError(403, "AccessDenied", "Request has expired.", "0002-00000069")
    return Answer(200, _document(call.path, book, now), {"x-oss-object-type": "Normal"})


def _document(path: str, book: TaskBook, now: float) -> bytes:
    task = book.find(task_of(path), None, now)
    index = path.removesuffix(".json").rpartition("-")[2]
    if task is None or not index.isdigit() or not 1 <= int(index) <= len(task.subtasks):
        raise OssError(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001")
    subtask = task.subtasks[int(index) - 1]
    if subtask.heard is None:
        raise OssError(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001")
    document = transcripts.document(subtask.heard, subtask.url, task.parameters or {})
    return json.dumps(document, ensure_ascii=False).encode()


def _sign(path: str, expires: int) -> str:
    return hmac.new(_SECRET, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()
