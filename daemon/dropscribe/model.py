"""The nouns of the house, frozen. Times are seconds since the epoch (UTC) unless a name says `_ms` or `_ns`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MEDIA_SUFFIXES = frozenset(
    [
        "aac",
        "amr",
        "avi",
        "flac",
        "flv",
        "m4a",
        "mkv",
        "mov",
        "mp3",
        "mp4",
        "mpeg",
        "ogg",
        "opus",
        "wav",
        "webm",
        "wma",
        "wmv",
    ]
)
"""What Fun-ASR takes (model-studio: file formats), lower case, without the dot."""

LARGEST_MEDIA = 2 * 1024**3
"""Bytes; a larger file is refused by the service, so it fails before anything is uploaded."""


class Secret:
    """A string that does not show itself: `repr` and `str` give `***`; `reveal()` gives the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Look:
    """What one lstat of a file shows: unchanged between two looks means equal.

    The device is left out: many file systems get another number at each boot. Folders watch over their device.
    """

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file as it was taken: its look, and its content from one read."""

    look: Look
    sha256: str
    crc64: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who pays: the endpoint, and a fingerprint of the key (never the key)."""

    endpoint: str
    account: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes two recognitions of the same bytes the same: the model and its canonical settings.

    `settings` is JSON with sorted keys; `preparation` names what changes words or times (`as-is` changes nothing).
    """

    model: str
    settings: str = "{}"
    preparation: str = "as-is"


RecognitionState = Literal[
    "needed",  # the object has to be uploaded
    "uploading",  # a worker of this process is at it; a claim that dies with the process
    "uploaded",  # ready for a batch
    "submitting",  # in a batch whose intent stands; the outcome is open
    "submitted",  # in a task
    "answered",  # the result is safe
    "refused",  # dead: a retry is a new recognition
    "abandoned",  # every subscriber was withdrawn before the submit
    "forgotten",  # the result was dropped after keep_results
]

MediaState = Literal[
    "waiting",  # taken; waits on its recognition
    "due",  # its recognition is answered: outputs are owed
    "delivering",  # the names of its outputs are reserved
    "delivered",
    "failing",  # its reason is known: an error file is owed
    "failed",
    "withdrawn",  # gone or replaced before its submit
]

BatchState = Literal[
    "intended",  # durable before the request leaves; after a restart it means: maybe sent
    "lost",  # the request may have arrived; the task list decides
    "submitted",  # the service gave a task id
    "refused",  # definitely not accepted; nothing was billed
    "absent",  # a complete list after the grace did not show it: never arrived
    "dropped",  # the service lost the task, or nobody can know any more
    "done",  # every item is judged
]


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word; `punctuation` follows it in the sentence."""

    start_ms: int
    end_ms: int
    text: str
    punctuation: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One sentence as the recogniser gave it; what it did not say is None."""

    start_ms: int
    end_ms: int
    channel: int | None
    speaker: int | None
    language: str | None
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What came back, parsed and checked: segments in order of time."""

    duration_ms: int | None
    text: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """All that a renderer may know of one delivered file."""

    source_name: str
    """Path within the inbox, for people: not UTF-8 is shown as `\\xNN`."""
    size: int | None
    sha256: str | None
    model: str | None
    settings: Mapping[str, Any]
    task_id: str | None
    transcript: Transcript
    raw: bytes = b""
    """The service's answer as it is kept."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file failed, for its error file. `message` never holds a URL."""

    code: str
    message: str
    remedy: str = ""
    request_id: str | None = None
    task_id: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class SubtaskResult:
    """The service's word on one URL of a task (`results[]`)."""

    file_url: str
    status: str
    transcription_url: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class TaskReport:
    """The answer to one query. `status` is upper case, verbatim; `results` is None where the answer had none."""

    task_id: str
    status: str
    results: tuple[SubtaskResult, ...] | None = None
    code: str | None = None
    message: str | None = None
    total: int | None = None
    billed_seconds: float | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListedTask:
    """One row of the task list; `created` is the server's time in seconds since the epoch."""

    task_id: str
    status: str
    model: str | None
    created: float | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service took a submit: the one answer that means 'this will be paid'."""

    task_id: str
    request_id: str | None
    server_time: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload that the storage holds."""

    number: int
    size: int
    etag: str
    crc64: int | None = None


API = "api"
"""Scope of all calls to the recogniser: nobody answers, or nobody knows our key."""
SUBMITS = "submits"
"""The account's right to submit: a bill, a permission. Questions are answered all the same."""
QUERIES = "queries"
"""Questions about tasks, one by one."""
TASKS = "tasks"
"""The list of tasks, which decides what became of a submit."""
RESULTS = "results"
"""The host of the finished transcripts."""
ACCOUNT = "account"
"""What another account submitted."""
STORAGE = "storage"
"""The bucket as a whole."""
DOWNLOADS = "downloads"
"""The service's way to what was uploaded: the public endpoint, signed URLs."""
UPLOADS = "uploads"
"""Uploads that fail though the storage works: it may be the way, or one file. One at a time is tried meanwhile."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Something that is out of order, as people and `status` see it."""

    name: str
    code: str
    message: str
    remedy: str
    since: float
    retry_at: float
    extra: Mapping[str, Any] = field(default_factory=dict)
