"""Looks at files and at the ledger for `plan`: what each would cost. Nothing is written, no service is asked."""

import errno
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from dropscribe.adopt import CannotTell, own_outputs
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.sources import digest_of, opened, unreadable
from dropscribe.durations import Durations
from dropscribe.errors import SourceChanged
from dropscribe.estimates import billable, guess
from dropscribe.ledger import quotes
from dropscribe.ledger.intake import Content
from dropscribe.ledger.rows import NewMedia
from dropscribe.model import LARGEST_MEDIA, Fingerprint
from dropscribe.names import display, suffix_of
from dropscribe.quote import Item
from dropscribe.scan import Candidate, Entry, Rules, inspect, walk
from dropscribe.survey import unexplained

TOO_LARGE = "it is larger than 2 GB, so it fails before anything is uploaded"


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that would be taken, below `root`, as its inbox's recipe would have it."""

    inbox: InboxSettings
    root: Path
    path: bytes
    size: int
    content: Content


@dataclass
class Looked:
    """What the files turned out to be."""

    items: list[Item] = field(default_factory=list)
    known: int = 0
    copies: int = 0
    not_taken: list[tuple[str, str]] = field(default_factory=list)


class Surveyor:
    """One plan."""

    def __init__(self, connection: Connection | None, durations: Durations, skip: Sequence[Path]) -> None:
        """`skip` are the folders that are never scanned."""
        self._connection = connection
        self._durations = durations
        self._skip = skip
        self._found: list[_Found] = []
        self._known = 0
        self._not_taken: list[tuple[str, str]] = []

    def add_inbox(self, inbox: InboxSettings) -> None:
        """What lies there and is not taken yet, and what was taken and is not paid for yet."""
        self._add(inbox, inbox.inbox, unexplained(inbox, self._skip, self._connection), ours=True)
        for row in () if self._connection is None else quotes.unpaid(self._connection, inbox.name):
            self._found.append(_Found(inbox, inbox.inbox, row.path, row.size, row.content))

    def add_path(self, inbox: InboxSettings, path: bytes) -> None:
        """A file or a folder anywhere, as if it were dropped into this inbox. Raises FileNotFoundError."""
        rules = Rules(inbox.include, inbox.exclude)
        whole = os.path.abspath(path)
        if os.path.isdir(whole) and not os.path.islink(whole):
            root = Path(os.fsdecode(whole))
            self._add(inbox, root, walk(root, self._skip, rules, explain=True))
            return
        folder, name = os.path.split(whole)
        root = Path(os.fsdecode(folder))
        entry = inspect(root, name, (), rules)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, "nothing stands there")
        self._add(inbox, root, [entry])

    def _add(self, inbox: InboxSettings, root: Path, entries: Iterable[Entry], ours: bool = False) -> None:
        for entry in entries:
            if not isinstance(entry, Candidate):
                if entry.reason not in ("private", "own-folder"):
                    self._leave(root, entry.path, entry.sentence)
            elif entry.look.size > LARGEST_MEDIA:
                self._leave(root, entry.path, TOO_LARGE)
            else:
                self._add_candidate(inbox, root, entry, ours)

    def _add_candidate(self, inbox: InboxSettings, root: Path, entry: Candidate, ours: bool) -> None:
        try:
            with opened(root, entry.path, entry.look) as descriptor:
                sha256 = digest_of(descriptor, entry.look.size)
        except SourceChanged:
            self._leave(root, entry.path, "it is still changing")
            return
        except OSError as error:
            self._leave(root, entry.path, unreadable(error).sentence)
            return
        recipe = inbox.recipe
        try:
            if ours and inbox.done == "keep" and self._adopted(inbox, entry, sha256):
                self._known += 1
                return
        except CannotTell as hidden:
            self._leave(root, entry.path, f"it may have been paid before, and waits: {hidden}")
            return
        content = (sha256, recipe.model, recipe.settings, recipe.preparation)
        self._found.append(_Found(inbox, root, entry.path, entry.look.size, content))

    def _adopted(self, inbox: InboxSettings, entry: Candidate, sha256: str) -> bool:
        new = NewMedia(entry.path, Fingerprint(entry.look, sha256, 0), inbox.recipe, suffix_of(entry.path), 0)
        return own_outputs(inbox, new) is not None

    def _leave(self, root: Path, path: bytes, why: str) -> None:
        self._not_taken.append((display(os.path.join(os.fsencode(root), path)), why[:1].lower() + why[1:]))

    def looked(self) -> Looked:
        """Everything that was added, each content once."""
        contents = list(dict.fromkeys(found.content for found in self._found))
        paid: Collection[Content] = set() if self._connection is None else quotes.paid(self._connection, contents)
        result = Looked(known=self._known, not_taken=self._not_taken)
        seen: set[Content] = set()
        for found in self._found:
            if found.content in paid:
                result.known += 1
            elif found.content in seen:
                result.copies += 1
            else:
                seen.add(found.content)
                result.items.append(self._item(found))
        return result

    def _item(self, found: _Found) -> Item:
        duration = self._durations.of(found.root, found.path)
        _, model, settings, _ = found.content
        seconds = billable(guess(found.size, suffix_of(found.path)) if duration is None else duration, settings)
        return Item(found.inbox.name, display(found.path), model, found.size, seconds, duration is None)
