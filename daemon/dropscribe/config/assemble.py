"""Drafts without a fault to the frozen `Settings`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dropscribe.config.drafts import Draft
from dropscribe.config.settings import (
    BatchSettings,
    InboxSettings,
    LimitsSettings,
    MetricsSettings,
    ModelStudioSettings,
    NotifySettings,
    PollSettings,
    PricesSettings,
    RetrySettings,
    Settings,
    StorageSettings,
    WebhookSettings,
)
from dropscribe.model import Secret
from dropscribe.render.profiles import Subtitles


def assemble(path: Path, top: Draft, inboxes: Sequence[Draft], warnings: Sequence[str]) -> Settings:
    """Call it only where the report holds no problem: every value is there then."""
    return Settings(
        path=path,
        state=top.values["state"],
        model_studio=_model_studio(top.section("model_studio")),
        storage=_storage(top.section("storage")),
        batch=BatchSettings(**top.section("batch").values),
        retry=RetrySettings(**top.section("retry").values),
        keep_results=top.values["keep_results"],
        inboxes=tuple(map(_inbox, inboxes)),
        limits=LimitsSettings(**top.section("limits").values),
        prices=PricesSettings(**top.section("prices").values),
        notify=_notify(top.section("notify")),
        metrics=MetricsSettings(**top.section("metrics").values),
        warnings=tuple(warnings),
    )


def _inbox(draft: Draft) -> InboxSettings:
    subtitles = Subtitles(**draft.section("subtitles").values)
    return InboxSettings(**{**draft.values, "subtitles": subtitles})


def _model_studio(draft: Draft) -> ModelStudioSettings:
    values = _without(draft, "insecure", "poll")
    return ModelStudioSettings(**values, poll=PollSettings(**draft.section("poll").values))


def _notify(draft: Draft) -> NotifySettings:
    hook = draft.section("webhook").values
    webhook = WebhookSettings(hook["url"], hook["secret"]) if hook["url"] is not None else None
    return NotifySettings(**_without(draft, "webhook"), webhook=webhook)


def _storage(draft: Draft) -> StorageSettings:
    values = _without(draft, "insecure")
    prefix = values["prefix"]
    values["prefix"] = prefix if prefix.endswith("/") else prefix + "/"
    role = values["ram_role"] is not None
    keys = {
        "access_key_id": "" if role else values["access_key_id"],
        "access_key_secret": Secret("") if role else values["access_key_secret"],
        "session_token": None if role else values.get("session_token"),
    }
    return StorageSettings(**{**values, **keys})


def _without(draft: Draft, *names: str) -> dict[str, Any]:
    """`insecure` has done its work with the checks; nobody asks for it later."""
    return {key: value for key, value in draft.values.items() if key not in names}
