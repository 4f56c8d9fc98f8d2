"""Figures as Prometheus and OpenMetrics text: the only home of prometheus_client. No label holds a name of a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from dropscribe.allowance import Balance
from dropscribe.ledger.figures import Figures

OF_RECOGNITION: Mapping[str, str] = {
    "needed": "waiting",
    "uploading": "uploading",
    "uploaded": "uploaded",
    "submitting": "uploaded",
    "submitted": "submitted",
}
OF_MEDIA: Mapping[str, str] = {
    "due": "answered",
    "delivering": "answered",
    "delivered": "delivered",
    "failing": "failed",
    "failed": "failed",
    "withdrawn": "withdrawn",
}
STATES = ("waiting", "uploading", "uploaded", "submitted", "answered", "delivered", "failed", "withdrawn")
TASKS: Mapping[str, str] = {"intended": "sending", "lost": "in-doubt", "submitted": "running"}


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is shown, of one moment (`now`, epoch seconds)."""

    now: float
    figures: Figures
    scopes: tuple[str, ...]
    """Names of those that are open."""
    spent_seconds: float
    reserved_seconds: float
    balances: tuple[Balance, ...]
    version: str


def by_state(figures: Figures) -> dict[str, int]:
    """Files by the state that `status` shows."""
    counts = dict.fromkeys(STATES, 0)
    for state, number in figures.waiting.items():
        counts[OF_RECOGNITION.get(state, "waiting")] += number
    for state, number in figures.media.items():
        if state in OF_MEDIA:
            counts[OF_MEDIA[state]] += number
    return counts


def kinds(scopes: Iterable[str]) -> dict[str, int]:
    """Open scopes by what stands before the colon: behind it there may be a path."""
    found: dict[str, int] = {}
    for name in scopes:
        kind = name.partition(":")[0]
        found[kind] = found.get(kind, 0) + 1
    return found


def text_of(picture: Picture, accept: str) -> tuple[bytes, str]:
    """(body, content type), OpenMetrics where the caller accepts that."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(picture))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collected(Collector):
    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Metric]:
        picture, figures = self._picture, self._picture.figures
        yield _labelled("dropscribe_files", "Files in the ledger by state.", "state", by_state(figures))
        tasks = {word: figures.batches.get(state, 0) for state, word in TASKS.items()}
        yield _labelled("dropscribe_tasks", "Tasks at the service that are not settled.", "state", tasks)
        yield _labelled("dropscribe_scopes_open", "What is out of order, by kind.", "kind", kinds(picture.scopes))
        age = 0.0 if figures.oldest is None else max(0.0, picture.now - figures.oldest)
        yield _gauge("dropscribe_oldest_unfinished_seconds", "Age of the oldest unfinished file.", age)
        yield _gauge("dropscribe_unfinished_bytes", "Size of all unfinished files.", figures.unfinished_bytes)
        yield _gauge("dropscribe_notices_waiting", "Notices that nobody has taken yet.", figures.notices)
        yield CounterMetricFamily("dropscribe_billed_seconds", "Seconds of sound paid for.", picture.spent_seconds)
        yield _gauge("dropscribe_reserved_seconds", "Seconds that may still be billed.", picture.reserved_seconds)
        limits: dict[str, float] = {balance.limit.name: balance.limit.seconds for balance in picture.balances}
        yield _labelled("dropscribe_limit_seconds", "The limits, where there are any.", "window", limits)
        used: dict[str, float] = {balance.limit.name: balance.used for balance in picture.balances}
        yield _labelled("dropscribe_limit_used_seconds", "Spent or reserved of each limit.", "window", used)
        yield _labelled("dropscribe_build_info", "The version, as a label.", "version", {picture.version: 1})


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value)


def _labelled(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
