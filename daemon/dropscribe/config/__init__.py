"""The configuration: one YAML file to one frozen `Settings`, or every fault at once with path and line."""

from dropscribe.config.loading import find, load
from dropscribe.config.reload import changes, restart_needed
from dropscribe.config.schema import DEFAULT_FORMATS
from dropscribe.config.settings import Settings

__all__ = ["DEFAULT_FORMATS", "Settings", "changes", "find", "load", "restart_needed"]
