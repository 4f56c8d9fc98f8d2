"""The configuration as the house sees it: one frozen `Settings`. Durations in seconds, sizes in bytes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dropscribe.model import Recipe, Secret
from dropscribe.render import Presentation
from dropscribe.render.profiles import Subtitles


def canonical_json(value: Mapping[str, Any]) -> str:
    """The same settings always give the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


Watch = Literal["auto", "events", "polling"]


@dataclass(frozen=True)
class PollSettings:
    first: float
    longest: float


@dataclass(frozen=True)
class ModelStudioSettings:
    endpoint: str
    api_key: Secret
    max_urls_per_task: int
    submit_rate: float
    query_rate: float
    lost_submit_grace: float
    poll: PollSettings


@dataclass(frozen=True)
class StorageSettings:
    provider: str
    bucket: str
    region: str
    endpoint: str
    public_endpoint: str
    cname: bool
    access_key_id: str
    access_key_secret: Secret
    session_token: Secret | None
    ram_role: str | None
    prefix: str
    url_lifetime: float
    uploads: int
    multipart_above: int


@dataclass(frozen=True)
class BatchSettings:
    max_wait: float


@dataclass(frozen=True)
class RetrySettings:
    attempts: int
    first_wait: float
    longest_wait: float


@dataclass(frozen=True)
class LimitsSettings:
    """Hours of billed sound; None: as many as there are."""

    hours_per_day: float | None = None
    hours_per_month: float | None = None


@dataclass(frozen=True)
class PricesSettings:
    """What takes the place of the built-in prices: of an hour, by model."""

    currency: str | None = None
    per_hour: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookSettings:
    url: Secret
    secret: Secret


@dataclass(frozen=True)
class NotifySettings:
    """Whom to tell of what; nobody where there is neither command nor webhook."""

    events: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    timeout: float = 30.0
    webhook: WebhookSettings | None = None
    keep: float = 3 * 86400.0


@dataclass(frozen=True)
class MetricsSettings:
    """The port on 127.0.0.1; None: there is no endpoint."""

    port: int | None = None


@dataclass(frozen=True)
class InboxSettings:
    name: str
    inbox: Path
    outbox: Path
    done: Path | Literal["keep", "delete"]
    failed: Path
    settle: float
    rescan: float
    watch: Watch
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    model: str
    recognition: Mapping[str, Any]
    prepare: str
    outputs: tuple[str, ...]
    subtitles: Subtitles = field(default_factory=Subtitles)
    speakers: Mapping[int, str] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """What a file taken now is recognised with."""
        return Recipe(self.model, canonical_json(self.recognition), self.prepare)

    @property
    def presentation(self) -> Presentation:
        """How a file delivered now is shown."""
        return Presentation(self.subtitles, self.speakers)


@dataclass(frozen=True)
class Settings:
    path: Path
    """The configuration file, absolute."""
    state: Path
    model_studio: ModelStudioSettings
    storage: StorageSettings
    batch: BatchSettings
    retry: RetrySettings
    keep_results: float
    inboxes: tuple[InboxSettings, ...]
    limits: LimitsSettings = LimitsSettings()
    prices: PricesSettings = PricesSettings()
    notify: NotifySettings = NotifySettings()
    metrics: MetricsSettings = MetricsSettings()
    warnings: tuple[str, ...] = ()
    """Sentences for the log: unknown recognition keys passed on, and the like."""


def secrets_of(settings: Settings) -> list[str]:
    """The values that must never be shown or written down."""
    studio, storage = settings.model_studio, settings.storage
    secrets = [studio.api_key, storage.access_key_secret, storage.session_token]
    if settings.notify.webhook is not None:
        secrets += [settings.notify.webhook.url, settings.notify.webhook.secret]
    return [secret.reveal() for secret in secrets if secret]
