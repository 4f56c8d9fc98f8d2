"""What the stand-in holds at one moment, so that a test can go back there as often as it likes."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from dropscribe.sandbox.blobs import Blob, Piece
from dropscribe.sandbox.faults import FaultBook
from dropscribe.sandbox.objects import Bucket, StoredObject, StoredPart, Upload
from dropscribe.sandbox.tasks import ENDED, BookEntry, Subtask, Task, TaskBook


@dataclass(frozen=True)
class Saved:
    """Objects and uploads with their bytes, tasks, the billing book, the faults in force. Its clock goes on."""

    objects: Mapping[str, StoredObject]
    uploads: Mapping[str, Upload]
    tasks: Mapping[str, Task]
    billed: tuple[BookEntry, ...]
    faults: FaultBook


def saved(bucket: Bucket, book: TaskBook, faults: FaultBook) -> Saved:
    """A copy that nothing changes any more. A task that has not ended will run from its beginning, and is not billed
    yet."""
    tasks = {task_id: _rewound(task) for task_id, task in book.tasks.items()}
    ended = {task_id for task_id, task in tasks.items() if task.status in ENDED}
    return Saved(
        {key: replace(stored, blob=_in_memory(stored.blob)) for key, stored in bucket.objects.items()},
        {upload_id: _kept(upload) for upload_id, upload in bucket.uploads.items()},
        tasks,
        tuple(entry for entry in book.billed if entry.task_id in ended or entry.task_id not in tasks),
        deepcopy(faults),
    )


def restore(state: Saved, bucket: Bucket, book: TaskBook) -> list[Task]:
    """Put it back; return the tasks that are to be begun."""
    bucket.objects, bucket.uploads = dict(state.objects), {i: _kept(upload) for i, upload in state.uploads.items()}
    pieces = [piece for stored in bucket.objects.values() for piece in stored.blob.pieces]
    pieces += [part.piece for upload in bucket.uploads.values() for part in upload.parts.values()]
    bucket.blobs.in_memory = sum(piece.size for piece in pieces)
    book.tasks, book.billed = deepcopy(dict(state.tasks)), list(state.billed)
    return [task for task in book.tasks.values() if task.status not in ENDED]


def _rewound(task: Task) -> Task:
    if task.status in ENDED:
        return deepcopy(task)
    fresh = tuple(Subtask(subtask.url) for subtask in task.subtasks)
    return replace(task, subtasks=fresh, status="PENDING", scheduled=None, billed_seconds=0)


def _in_memory(blob: Blob) -> Blob:
    return replace(blob, pieces=tuple(_read(blob.pieces)))


def _kept(upload: Upload) -> Upload:
    parts = {n: StoredPart(next(_read((part.piece,))), part.modified) for n, part in upload.parts.items()}
    return replace(upload, parts=parts)


def _read(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.path is None:
            yield piece
        else:
            yield replace(piece, data=piece.path.read_bytes(), path=None)
