"""What the ledger hands out: frozen rows, named after what the caller does with them."""

from dataclasses import dataclass

from dropscribe.model import Fingerprint, Look, MediaState, Recipe, RecognitionState


@dataclass(frozen=True, slots=True)
class NewMedia:
    """A settled file, read once: what `take` writes down."""

    path: bytes
    fingerprint: Fingerprint
    recipe: Recipe
    suffix: str
    size_class: int


@dataclass(frozen=True, slots=True)
class KnownMedia:
    """The latest row of a path."""

    media_id: int
    look: Look
    state: MediaState
    error_file: bytes | None
    moved_to: bytes | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """`recognition` is the state of what the file now waits on; `new` is False where it joined one for free.

    `again`: what lay at its path before had failed.
    """

    path: bytes
    recognition: RecognitionState
    new: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of a recognition can be read: one subscriber."""

    media_id: int
    inbox: str
    path: bytes
    look: Look


@dataclass(frozen=True, slots=True)
class UploadJob:
    """A claimed upload. The key was recorded before its use; `upload_id` is of an earlier, unfinished multipart try."""

    recognition_id: int
    key: str
    multipart: bool
    upload_id: str | None
    size: int
    crc64: int
    attempts: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ReadyGroup:
    """Uploaded recognitions that may travel together."""

    model: str
    settings: str
    size_class: int
    company: int
    """The most URLs a task with one of these may have; 0: as many as the account allows."""
    count: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Item:
    """One URL of a batch."""

    recognition_id: int
    key: str
    attempts: int
    tries: dict[str, int]
    rebuys: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch whose outcome is open, with its live items in the order of its URLs.

    `keys` are those of all files of its task, judged or not; empty for one that is not known to be ours.
    """

    id: int
    endpoint: str
    account: str
    model: str
    settings: str
    state: str
    total: int
    task_id: str | None
    intended_at: float
    server_time: float | None
    submitted_at: float | None
    items: tuple[Item, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """Why and how an item is sent again. `charged`: it uses up one of the file's tries; `company`: see ReadyGroup."""

    code: str
    message: str
    wait_until: float
    reupload: bool = False
    company: int = 0
    charged: bool = True


@dataclass(frozen=True, slots=True)
class OwedMedia:
    """A file that is owed its outputs (`due`, `delivering`) or its error file (`failing`)."""

    media_id: int
    inbox: str
    path: bytes
    look: Look
    sha256: str | None
    state: MediaState
    recognition_id: int | None
    model: str | None
    settings: str | None
    task_id: str | None
    moved_to: bytes | None
    error_file: bytes | None
    code: str | None
    message: str | None
    remedy: str | None
    request_id: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class StaleReason:
    """The error file, at the absolute `path`, of a failed file that was taken again since; its source may lie there."""

    media: OwedMedia
    path: bytes
    failed_at: float


@dataclass(frozen=True, slots=True)
class Owner:
    """To which source an output path belongs, and the content we wrote there."""

    media_id: int
    inbox: str
    source: bytes
    source_sha256: str | None
    state: MediaState
    sha256: str
    replaces: str
    """What stood at the path before and was ours as well; "" for nothing."""


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """One reserved name: an absolute path, and the sha256 of what will stand there and of what of ours it replaces."""

    path: bytes
    format: str
    sha256: str
    replaces: str = ""

    def row(self, media_id: int) -> dict[str, object]:
        """As the ledger keeps it; `dataclasses.asdict` would copy each value, at four times the price."""
        of = {"format": self.format, "sha256": self.sha256, "replaces": self.replaces}
        return {"media_id": media_id, "path": self.path, **of}


@dataclass(frozen=True, slots=True)
class Reservation:
    """All names that the delivery of one file is about to use."""

    media_id: int
    outputs: tuple[PlannedOutput, ...]
    moved_to: bytes | None
    error_file: bytes | None = None
    outgrown: tuple[bytes, ...] = ()
    """Outputs of earlier versions of the file that it has no more: nobody's from now on."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object, or an unfinished multipart upload, that has to go."""

    key: str
    multipart: bool
    upload_id: str | None


class StaleWrite(Exception):
    """A compare-and-set found another state than it expected: somebody else has moved the row."""
