"""A keep library met with a ledger that does not know it: outputs of our own are adopted, not bought again."""

import hashlib
import json
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from dropscribe.config.settings import InboxSettings, canonical_json
from dropscribe.disk.sources import parent_of, regular_file
from dropscribe.ledger.rows import NewMedia, PlannedOutput
from dropscribe.names import output_names
from dropscribe.naming import salt_of
from dropscribe.render import FORMATS
from dropscribe.render.formats.json import read_identity

ATTEMPTS = 3
LARGEST_OUTPUT = 256 * 1024 * 1024


def own_outputs(inbox: InboxSettings, new: NewMedia) -> tuple[PlannedOutput, ...]:
    """What stands in the outbox for exactly this content, model and settings; empty where its JSON does not say so.

    Blocking; raises OSError for a fault of the disk.
    """
    if "json" not in inbox.outputs:
        return ()
    formats = [(name, FORMATS[name].suffix) for name in inbox.outputs]
    salt = salt_of(inbox.name, new.fingerprint.sha256)
    sets = (output_names(new.path, formats, attempt, salt) for attempt in range(ATTEMPTS))
    for names in islice(sets, ATTEMPTS):
        found = _read_set(inbox, names)
        if found and _is_of(found[inbox.outputs.index("json")][1], new):
            return tuple(
                PlannedOutput(path, name, hashlib.sha256(content).hexdigest())
                for (path, content), name in zip(found, inbox.outputs, strict=True)
            )
    return ()


def _read_set(inbox: InboxSettings, names: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """(path, content) of every file of a set, or nothing if one is missing or is no regular file of a sane size."""
    found = []
    for name in names:
        content = _read(inbox.outbox, name)
        if content is None:
            return []
        found.append((os.path.join(os.fsencode(inbox.outbox), name), content))
    return found


def _read(outbox: Path, name: bytes) -> bytes | None:
    try:
        with parent_of(outbox, name) as (folder, last), regular_file(last, folder) as descriptor:
            if descriptor is None or os.fstat(descriptor).st_size > LARGEST_OUTPUT:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(LARGEST_OUTPUT + 1)
    except OSError:
        return None
    return content if len(content) <= LARGEST_OUTPUT else None


def _is_of(content: bytes, new: NewMedia) -> bool:
    identity = read_identity(content)
    if identity is None:
        return False
    sha256, model, settings = identity
    said = (sha256, model, json.loads(canonical_json(settings)))
    return said == (new.fingerprint.sha256, new.recipe.model, json.loads(new.recipe.settings))
