"""What a reload may change, and what needs a restart."""

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
