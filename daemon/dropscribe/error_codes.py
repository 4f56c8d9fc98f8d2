"""What Model Studio's error codes mean for the house: two tables that anybody may edit, and the functions on them.

Codes are compared without regard to case and may hold `*`; the first row that fits wins, so the special stands above
the general. Where `says` is given, the service's message must contain it too.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, Protocol, TypeVar

from dropscribe.errors import Ambiguous, OutOfOrder, RequestRefused

Call = Literal["submit", "query", "list"]

Meaning = Literal[
    "key",  # the whole API does not know us: nothing works until a person acts
    "account",  # the account may not submit (a bill, a right): questions are answered all the same
    "model",  # this model does not work on this account
    "settings",  # this model does not work with these settings
    "slow down",  # a rate limit: wait, and alarm nobody
    "quota",  # an allowance is used up: wait longer, and say so
    "contents",  # what was sent is refused; which of its files is to blame is not said
]
RECIPE = "recipe"
"""The scope of a model with its settings: only the submitter knows their name."""

NO_CODE = "HTTP {status}"


@dataclass(frozen=True, slots=True)
class RequestRow:
    codes: tuple[str, ...]
    means: Meaning
    remedy: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing was said in the recording: its transcript is empty, which is no failure."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It may pass. `bound` is how many *further* tries the code deserves after the one that failed."""

    bound: int
    reupload: bool = False
    remedy: str = ""

    @property
    def tries(self) -> int:
        """Tries in all, the first included (what `TryLater.bound` counts)."""
        return self.bound + 1


@dataclass(frozen=True, slots=True)
class Permanent:
    """The file (or its settings) is at fault; trying again would give the same."""

    remedy: str


SubtaskVerdict = Empty | TryAgain | Permanent


@dataclass(frozen=True, slots=True)
class SubtaskRow:
    codes: tuple[str, ...]
    verdict: SubtaskVerdict
    says: str = ""


_KEY = (
    "Check model_studio.api_key and model_studio.endpoint: a key is valid in one region, and on a workspace endpoint "
    "only in that workspace."
)
_BILL = "Settle the account's bill in the Alibaba Cloud console; the work resumes by itself."
_RIGHTS = "Grant this key's workspace the right to use the model in the Model Studio console."
_MODEL = "Check the inbox's `model`, and that it is offered in this endpoint's region."
_RATE = "Nothing to do; if it happens often, lower model_studio.submit_rate or query_rate."
_QUOTA = "The account's allowance is used up: wait, or ask for a larger quota in the console."
_SETTINGS = "Check the inbox's `recognition` settings against what the model supports."
_FETCH = (
    "The service could not download the file: check that storage.public_endpoint can be reached from the internet and "
    "that bucket and model are in the same part of the world."
)
_MEDIA = "Check that the file plays; convert it to a common format (for example WAV, FLAC or MP3) and drop it again."
_LIMITS = "The service takes files up to 2 GB and 12 hours: cut the recording and drop the pieces."
_CONTENT = "The service's content inspection refused this recording; it cannot be transcribed there."
_SERVICE = "A fault inside the service; try again later with `dropscribe retry`."

REQUEST_CODES: tuple[RequestRow, ...] = (
    RequestRow(("InvalidApiKey", "invalid_api_key", "NOT AUTHORIZED"), "key", _KEY),
    RequestRow(("Arrearage", "isv.OUT_OF_SERVICE", "*BillOverdue", "CommodityNotPurchased"), "account", _BILL),
    RequestRow(
        ("AllocationQuota.FreeTierOnly",),
        "account",
        "The free quota is used up: switch off 'free tier only' in the Model Studio console.",
    ),
    RequestRow(
        ("AccessDenied",),
        "account",
        "This account cannot run asynchronous tasks here; check model_studio.endpoint.",
        says="synchronous",
    ),
    RequestRow(("AccessDenied.Unpurchased", "Model.AccessDenied"), "model", _RIGHTS),
    RequestRow(("Workspace.AccessDenied", "Endpoint.AccessDenied", "WorkSpaceNotFound"), "key", _KEY),
    RequestRow(("AccessDenied", "AccessDenied.*"), "account", _RIGHTS),
    RequestRow(("ModelNotFound", "model_not_found"), "model", _MODEL),
    RequestRow(("insufficient_quota", "Throttling.AllocationQuota"), "quota", _QUOTA),
    RequestRow(("Throttling", "Throttling.*", "limit_requests", "LimitRequests"), "slow down", _RATE),
    RequestRow(("NotFound",), "key", "Check model_studio.endpoint: it does not know this address."),
    RequestRow(("Conflict",), "model", "The service reports a conflict; if it stays, ask Alibaba Cloud's support."),
    RequestRow(
        ("InvalidParameter*", "BadRequest*"),
        "settings",
        "Check `recognition.vocabulary_id`: the list must exist in this account and belong to this model.",
        says="vocabulary",
    ),
    RequestRow(
        ("DataInspectionFailed", "data_inspection_failed", "InvalidParameter.DataInspection"), "contents", _CONTENT
    ),
    RequestRow(("InvalidURL*", "BadRequest.InputDownloadFailed", "InvalidFile.DownloadFailed"), "contents", _FETCH),
    RequestRow(("InvalidFile.AudioLengthError", "InvalidFile.Size", "InvalidFile.Duration"), "contents", _LIMITS),
    RequestRow(("BadRequest.TooLarge",), "contents", _LIMITS),
    RequestRow(("InvalidFile.*", "BadRequest.UnsupportedFileFormat"), "contents", _MEDIA),
    RequestRow(("InvalidParameter*", "BadRequest*"), "contents", _SETTINGS),
)

SUBTASK_CODES: tuple[SubtaskRow, ...] = (
    SubtaskRow(("SUCCESS_WITH_NO_VALID_FRAGMENT", "ASR_RESPONSE_HAVE_NO_WORDS", "ASR_RESPONSE_HAVE_HO_WORDS"), Empty()),
    SubtaskRow(
        ("NO_VALID_AUDIO_ERROR", "NO_INPUT_AUDIO_ERROR"),
        Permanent("The file holds no sound that can be read. " + _MEDIA),
    ),
    SubtaskRow(("InvalidFile.DownloadFailed", "FILE_DOWNLOAD_FAILED", "FILE_SERVER_ERROR"), TryAgain(3, remedy=_FETCH)),
    SubtaskRow(("InvalidURL", "InvalidURL.*", "BadRequest.InputDownloadFailed"), TryAgain(3, remedy=_FETCH)),
    SubtaskRow(("CONTENT_LENGTH_CHECK_FAILED",), TryAgain(3, remedy=_FETCH)),
    SubtaskRow(
        ("FILE_403_FORBIDDEN",),
        TryAgain(
            2,
            remedy="The storage refused the service's download: check storage.url_lifetime, this machine's clock, "
            "and that the storage key may read (oss:GetObject).",
        ),
    ),
    SubtaskRow(
        ("FILE_404_NOT_FOUND",),
        TryAgain(
            1,
            reupload=True,
            remedy="The object had gone before the service read it: check the bucket's lifecycle rules.",
        ),
    ),
    SubtaskRow(("InternalError.Timeout",), TryAgain(1, remedy="The task took longer than 3 hours. " + _SERVICE)),
    SubtaskRow(
        (
            "SERVER_ERROR",
            "INTERNAL_ERROR",
            "VAD_FAILED",
            "RECOGNIZE_FAILED",
            "RECOGNIZE_INTERRUPT",
            "OFFER_INTERRUPT",
            "FILE_TRANS_TIMEOUT",
            "FRAGMENT_FAILED",
            "InternalError*",
            "SystemError",
            "ModelServiceFailed",
            "RequestTimeOut",
            "ServiceUnavailable",
            "ModelUnavailable",
            "ModelServingError",
            "Throttling*",
            "Internal server error!*",
            "unknown error*",
        ),
        TryAgain(2, remedy=_SERVICE),
    ),
    SubtaskRow(("FILE_TRANS_TASK_EXPIRED",), TryAgain(1, remedy=_SERVICE)),
    SubtaskRow(
        (
            "FILE_CHECK_FAILED",
            "FILE_NORMALIZE_FAILED",
            "FILE_PARSE_FAILED",
            "MKV_PARSE_FAILED",
            "DECODE_ERROR",
            "UNSUPPORTED_FORMAT",
            "UNSUPPORTED_SAMPLE_RATE",
            "BadRequest.UnsupportedFileFormat",
        ),
        Permanent(_MEDIA),
    ),
    SubtaskRow(
        ("FILE_TOO_LARGE", "AUDIO_DURATION_TOO_LONG", "BadRequest.TooLarge", "InvalidFile.AudioLengthError"),
        Permanent(_LIMITS),
    ),
    SubtaskRow(("InvalidFile.Size", "InvalidFile.Duration"), Permanent(_LIMITS)),
    SubtaskRow(("InvalidFile.*",), Permanent(_MEDIA)),
    SubtaskRow(
        ("REQUEST_INVALID_FILE_URL_VALUE",),
        Permanent("The service could not read the file's address: check storage.public_endpoint."),
    ),
    SubtaskRow(("*DataInspection*", "data_inspection_failed"), TryAgain(1, remedy=_FETCH), says="download"),
    SubtaskRow(("*DataInspection*", "data_inspection_failed"), Permanent(_CONTENT)),
    SubtaskRow(("Invalid backend response received (missing status name)*",), Permanent(_SETTINGS)),
    SubtaskRow(("InvalidParameter", "InvalidParameter.*"), Permanent(_SETTINGS)),
)

UNKNOWN_SUBTASK = TryAgain(1, remedy="The service gives no known reason; look the code up in its documentation.")

_DOWNLOADS = (
    "InvalidFile.DownloadFailed",
    "BadRequest.InputDownloadFailed",
    "InvalidURL*",
    "FILE_DOWNLOAD_FAILED",
    "FILE_403_FORBIDDEN",
    "FILE_404_NOT_FOUND",
    "FILE_SERVER_ERROR",
    "REQUEST_INVALID_FILE_URL_VALUE",
)
_SMALLER_BATCH = ("InternalError.Timeout", "FILE_TRANS_TIMEOUT")
_UNCERTAIN = frozenset({408, 499})  # somebody gave up waiting: who, and how far the request had come, is not said
_CONTENTS = frozenset({400, 404, 409, 413, 422})
_KEY_STATUS = frozenset({401, 403, 407, 451})
_QUOTA_WAIT = 120.0
_FIX_UNKNOWN = "Look the code up in Model Studio's documentation of error codes."


def classify_request(
    status: int,
    code: str,
    message: str,
    call: Call,
    model: str | None = None,
    *,
    retry_after: float | None = None,
    request_id: str | None = None,
) -> OutOfOrder | RequestRefused | Ambiguous:
    """The exception to raise for an answer that is not a success.

    `status` is the HTTP status, `code` and `message` what the body said (both may be empty), `retry_after` the seconds
    the answer named. `Ambiguous` is only for submits whose status (5xx, 3xx, 408) does not say whether the task exists.
    """
    row, named = _request_row(code, message)
    name = code or named or NO_CODE.format(status=status)
    text = without_urls(message) or f"The service answered with HTTP status {status} and gave no reason."
    if call == "submit" and _leaves_open(status):
        return Ambiguous(f"the answer to the submit was HTTP status {status} ({name}: {text})")
    means = row.means if row else _by_status(status, bare=not code and not message)
    if means == "contents" and call == "submit":
        return RequestRefused(name, text, request_id)
    return OutOfOrder(
        scope=_scope(means, call, model),
        code=name,
        message=text,
        remedy=row.remedy if row else _status_remedy(status),
        retry_after=retry_after if means != "quota" else retry_after or _QUOTA_WAIT,
        quiet=means == "slow down",
        request_id=request_id,
    )


def _request_row(code: str, message: str) -> tuple[RequestRow | None, str]:
    """The row, and its code. Some answers put the code into the message, alone or in a sentence."""
    for word in (code, *_names_in(message)):
        if word and (row := _find(REQUEST_CODES, word, message)):
            return row, "" if " " in word else word
    return None, ""


def _leaves_open(status: int) -> bool:
    return status in _UNCERTAIN or not 400 <= status < 500


def _by_status(status: int, bare: bool) -> Meaning:
    """`bare`: nobody said why, so what answered need not be the service (a proxy, a wrong address): no file's fault.
    413 says why by itself: a gateway that takes no large body may take that of one file.
    """
    if status == 429:
        return "slow down"
    if status in _KEY_STATUS:
        return "key"
    return "contents" if status == 413 or (status in _CONTENTS and not bare) else "account"


def _scope(means: Meaning, call: Call, model: str | None) -> str:
    """What does not work: all of the API, or only what was asked of it."""
    if means == "key":
        return "api"
    if call != "submit":
        return "queries"
    if means == "settings":
        return RECIPE
    return "submits" if means == "account" or model is None else f"model:{model}"


def _status_remedy(status: int) -> str:
    if status == 429:
        return _RATE
    if status in _KEY_STATUS:
        return _KEY
    if status == 402:
        return _BILL
    if status >= 500:
        return "A fault of the service; it is asked again by itself."
    return "Check model_studio.endpoint. " + _FIX_UNKNOWN


def remedy_for(code: str, message: str = "") -> str:
    """What a person can do about a code of either table (a sentence; never empty)."""
    if row := _find(REQUEST_CODES, code, message):
        return row.remedy
    verdict = classify_subtask(code, message)
    return getattr(verdict, "remedy", "") or _FIX_UNKNOWN


def classify_subtask(code: str | None, message: str | None) -> SubtaskVerdict:
    """What a failed file of a task means. Some answers put the code into the message, so both are looked at."""
    row, _ = _subtask_row(code or "", message or "")
    return row.verdict if row else UNKNOWN_SUBTASK


def code_in(message: str | None) -> str:
    """The code of a failed file that stands in the message alone, as the service wrote it; empty where none does."""
    return _subtask_row("", message or "")[1]


def _subtask_row(code: str, message: str) -> tuple[SubtaskRow | None, str]:
    """The row, and the word by which it was found."""
    for word in (code, *_names_in(message)):
        if word and (row := _find(SUBTASK_CODES, word, message)):
            return row, word
    return None, ""


def is_about_download(code: str, message: str = "") -> bool:
    """Whether the service could not fetch a file: which may be the fault of the way, and not of the file."""
    return any(_fits(word, each) for word in (code, *_names_in(message)) for each in _DOWNLOADS)


def wants_smaller_batch(code: str | None) -> bool:
    """Whether a task that ended with this code should be sent again in halves."""
    return any(_fits(code or "", each) for each in _SMALLER_BATCH)


def _names_in(message: str) -> Iterable[str]:
    """The whole message, then the symbolic names in it (`FILE_403_FORBIDDEN`, `InvalidFile.Format`)."""
    yield message.strip()
    yield from re.findall(r"\b[A-Za-z]\w*(?:[_.]\w+)+", message)


class _Row(Protocol):
    @property
    def codes(self) -> tuple[str, ...]: ...
    @property
    def says(self) -> str: ...


_R = TypeVar("_R", bound=_Row)


def _find(rows: Iterable[_R], code: str, message: str) -> _R | None:
    for row in rows:
        if row.says in message.lower() and any(_fits(code, pattern) for pattern in row.codes):
            return row
    return None


def _fits(code: str, pattern: str) -> bool:
    return fnmatchcase(code.strip().lower(), pattern.lower())


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s\"'<>]+")
_BORDER = re.compile(r"([\"'<>])")


def without_urls(text: str, longest: int = 500) -> str:
    """`text` in one line, with every URL and everything that looks like a query string taken out."""
    # Cut first: an error body may be long.
    line = " ".join(map(_without_url, text[: 4 * longest].split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _without_url(word: str) -> str:
    """One word: of what looks like a query, everything up to its end is taken out. By splitting: a pattern that looks
    for the last `?` with a `=` behind takes minutes for a word of question marks.
    """
    pieces = _BORDER.split(word)
    queries = [number for number, piece in enumerate(pieces) if "=" in piece.partition("?")[2]]
    if not queries:
        return _ADDRESS.sub("<url>", word)
    return "<url>" + _ADDRESS.sub("<url>", "".join(pieces[queries[-1] + 1 :]))
