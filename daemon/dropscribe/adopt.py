"""A keep library met with a ledger that does not know it: outputs of our own are adopted, not bought again.

The transcript says whose outputs they are, and comes last of its set. What is missing beside it (a format that was
added since) is rendered from it: recognising the file again would cost money, and not having it a word from us.
"""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dropscribe.boundaries import Step
from dropscribe.config.settings import InboxSettings, canonical_json
from dropscribe.disk.placing import discard, make_folders, place, sync_way_down, write_aside
from dropscribe.disk.sources import follow_into, parent_of, regular_file, seen_from
from dropscribe.errors import DropscribeError
from dropscribe.folders import FolderTrouble
from dropscribe.ledger.rows import NewMedia, PlannedOutput
from dropscribe.model import Document
from dropscribe.names import LONGEST_NAME, display, output_names
from dropscribe.naming import salt_of
from dropscribe.render import TextLost, all_outputs, format_of, render_all, suffix_of
from dropscribe.render.formats.json import read_document, read_identity
from dropscribe.transcript import UnusableResult, parse

PLACE = Step("adopt.place", "before", "effect")

ATTEMPTS = 3
LARGEST_OUTPUT = 256 * 1024 * 1024

_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})
"""No file of this name stands there, or can: the last three are of names that the file system does not take."""


@dataclass(eq=False)
class CannotTell(DropscribeError):
    """A transcript may stand at `path` and cannot be read, so nobody knows whether its file was paid before."""

    path: bytes
    error: OSError

    def __str__(self) -> str:
        return f"{display(self.path)}: {self.error.strerror or self.error}"


@dataclass(frozen=True)
class OwnSet:
    """A set of outputs by its JSON, which is of exactly this content, model and settings.

    `found`: what stands under the names of the set; `missing`: where nothing does. Both by output.
    """

    transcript: PlannedOutput
    found: Mapping[str, tuple[bytes, bytes]]
    missing: Mapping[str, bytes]
    document: Document | None


def own_outputs(inbox: InboxSettings, new: NewMedia) -> OwnSet | None:
    """The set whose JSON says that it is of this file; None where none does.

    Blocking. Raises CannotTell where none does and one could not be read; whether the outbox is there is not asked.
    """
    if "json" not in inbox.outputs:
        return None
    hidden: CannotTell | None = None
    for path in _transcripts(inbox, new):
        try:
            content = _read(inbox.outbox, path)
        except OSError as error:
            hidden = hidden or CannotTell(path, error)
            continue
        if content is not None and _is_of(content, new):
            return _set_of(inbox, PlannedOutput(path, "json", _sha256(content)), read_document(content))
    if hidden is not None:
        raise hidden
    return None


def _transcripts(inbox: InboxSettings, new: NewMedia) -> Iterator[bytes]:
    """Where the JSON may stand. A name near its limit is shortened for the longest suffix, maybe that of a channel."""
    salt = salt_of(inbox.name, new.fingerprint.sha256)
    for attempt in range(ATTEMPTS):
        for outputs in (inbox.outputs, (*inbox.outputs, "srt-ch0")):
            formats = [(name, suffix_of(name)) for name in outputs]
            name = output_names(new.path, formats, attempt, salt)[outputs.index("json")]
            yield os.path.join(os.fsencode(inbox.outbox), name)


def _set_of(inbox: InboxSettings, transcript: PlannedOutput, document: Document | None) -> OwnSet:
    """The outputs of a set share the stem of its JSON."""
    wanted = [] if document is None else all_outputs(document, inbox.outputs, inbox.presentation)
    stem = transcript.path.removesuffix(b".json")
    paths = {name: b"%b.%b" % (stem, suffix_of(name).encode()) for name in wanted if name != "json"}
    found, missing = dict[str, tuple[bytes, bytes]](), dict[str, bytes]()
    for name, path in paths.items():
        with contextlib.suppress(OSError):  # it stands, and what cannot be read cannot be proved to be ours
            content = _read(inbox.outbox, path)
            if content is not None:
                found[name] = (path, content)
            elif len(os.path.basename(path)) <= LONGEST_NAME:
                missing[name] = path
    return OwnSet(transcript, found, missing, document)


def _read(outbox: Path, path: bytes) -> bytes | None:
    """None where nothing stands, or no regular file of a sane size. Folders below the outbox may be links: what is
    behind them was delivered once, and is only read. Raises OSError where something may stand and is not to be had.
    """
    try:
        with (
            parent_of(*seen_from(outbox, path), follow_into) as (folder, name),
            regular_file(name, folder) as descriptor,
        ):
            if descriptor is None or os.fstat(descriptor).st_size > LARGEST_OUTPUT:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(LARGEST_OUTPUT + 1)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return None
        raise
    return content if len(content) <= LARGEST_OUTPUT else None


def _is_of(content: bytes, new: NewMedia) -> bool:
    identity = read_identity(content)
    if identity is None:
        return False
    sha256, model, settings = identity
    said = (sha256, model, json.loads(canonical_json(settings)))
    return said == (new.fingerprint.sha256, new.recipe.model, json.loads(new.recipe.settings))


def adopted(inbox: InboxSettings, own: OwnSet) -> tuple[PlannedOutput, ...]:
    """The outputs of the set that are ours, and what was missing and can be had from the transcript, durably in place.

    What stands there and is not as we would write it may be a person's by now, and is left alone for good. Blocking;
    raises OutOfOrder for the outbox; other OSError.
    """
    texts = _texts(inbox, own)
    ours = [
        PlannedOutput(path, output, _sha256(content))
        for output, (path, content) in own.found.items()
        if content == texts.get(output) or (output == "raw" and _is_answer(content, own.document))
    ]
    placed = []
    with FolderTrouble(inbox.outbox):
        for output, path in own.missing.items():
            if output in texts and _place(inbox, path, texts[output]):
                placed.append(PlannedOutput(path, output, _sha256(texts[output])))
        sync_way_down(*seen_from(inbox.outbox, os.path.dirname(own.transcript.path)))
    return (own.transcript, *ours, *placed)


def _texts(inbox: InboxSettings, own: OwnSet) -> Mapping[str, bytes]:
    """As we would write them today; never `raw`, which no transcript tells."""
    formats = dict.fromkeys(format_of(output) for output in (*own.found, *own.missing) if output != "raw")
    try:
        return {} if own.document is None else render_all(own.document, formats, inbox.presentation).texts
    except TextLost:  # somebody wrote into the transcript what no format can hold
        return {}


def _is_answer(content: bytes, document: Document | None) -> bool:
    try:
        return document is not None and parse(content) == document.transcript
    except UnusableResult:
        return False


def _place(inbox: InboxSettings, path: bytes, text: bytes) -> bool:
    root, within = seen_from(inbox.outbox, path)
    with make_folders(root, os.path.dirname(within)) as folder:
        aside = write_aside(folder, f"adopt-{_sha256(path)[:32]}", text)
        PLACE.before()
        try:
            place(aside, (folder, os.path.basename(path)))
        except FileExistsError:
            return False
        finally:
            discard(aside)
        PLACE.effect()
    return True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
