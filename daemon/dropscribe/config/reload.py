"""What a reload may change, what it has changed, and what needs a restart."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from dropscribe.config.settings import Settings


def restart_needed(old: Settings, new: Settings) -> list[str]:
    """The paths of those keys that differ and cannot change under a running daemon, as in `storage.bucket`."""
    pairs = {
        "state": (old.state, new.state),
        "model_studio.endpoint": (old.model_studio.endpoint, new.model_studio.endpoint),
        "model_studio.api_key": (old.model_studio.api_key, new.model_studio.api_key),
        "storage.provider": (old.storage.provider, new.storage.provider),
        "storage.bucket": (old.storage.bucket, new.storage.bucket),
        "storage.region": (old.storage.region, new.storage.region),
    }
    return [path for path, (before, after) in pairs.items() if before != after]


def changes(old: Settings, new: Settings) -> list[str]:
    """What a reload changed, without any value: `batch.max_wait`, `inboxes: calls added`, `inboxes.talks.outputs`."""
    before, after = ({inbox.name: inbox for inbox in settings.inboxes} for settings in (old, new))
    found = [path for path in _differing(old, new) if path not in _OF_NO_KEY]
    found += [f"inboxes: {name} added" for name in after if name not in before]
    found += [f"inboxes: {name} removed" for name in before if name not in after]
    for name in (name for name in after if name in before):
        found += [f"inboxes.{name}.{path}" for path in _differing(before[name], after[name])]
    return found


_OF_NO_KEY = ("path", "warnings", "inboxes")


def _differing(old: Any, new: Any) -> Iterator[str]:
    """The paths of the fields that differ, down to where one of the two has none."""
    for field in fields(new):
        one, other = getattr(old, field.name), getattr(new, field.name)
        if one == other:
            continue
        if is_dataclass(one) and is_dataclass(other):
            yield from (f"{field.name}.{path}" for path in _differing(one, other))
        else:
            yield field.name
