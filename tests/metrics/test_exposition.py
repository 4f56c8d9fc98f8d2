"""Figures as text that Prometheus reads, without anybody's names."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from dropscribe.allowance import Balance, Limit
from dropscribe.ledger.figures import Figures
from dropscribe.metrics.exposition import Picture, by_state, kinds, text_of
from dropscribe.model import MediaState

FIGURES = Figures(
    media={"waiting": 5, "due": 1, "delivering": 1, "delivered": 7, "failing": 1, "failed": 2, "withdrawn": 1},
    waiting={"needed": 1, "uploading": 1, "uploaded": 1, "submitting": 1, "submitted": 1},
    unfinished_bytes=1234,
    oldest=900.0,
    batches={"submitted": 2, "lost": 1},
    notices=3,
)
PICTURE = Picture(
    1000.0, FIGURES, ("storage", "folder:/srv/private"), 60.0, 30.0, (Balance(Limit("day", 100.0, 0.0), 90.0),), "1.2"
)


def test_files_are_counted_once_by_the_state_that_status_shows() -> None:
    assert by_state(FIGURES) == {
        "waiting": 1,
        "uploading": 1,
        "uploaded": 2,
        "submitted": 1,
        "answered": 2,
        "delivered": 7,
        "failed": 3,
        "withdrawn": 1,
    }


def test_every_state_of_a_file_is_counted_somewhere() -> None:
    states = MediaState.__args__  # type: ignore[attr-defined]
    for state in states:
        waiting = {"needed": 1} if state == "waiting" else {}
        assert sum(by_state(Figures({state: 1}, waiting, 0, None, {}, 0)).values()) == 1


def test_scopes_are_told_by_their_kind_because_their_names_hold_paths() -> None:
    assert kinds(["folder:/a", "folder:/b", "api"]) == {"folder": 2, "api": 1}
    assert b"private" not in text_of(PICTURE, "")[0]


def test_openmetrics_is_given_to_who_accepts_it() -> None:
    body, content_type = text_of(PICTURE, "application/openmetrics-text; version=1.0.0")

    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    values = {name: family.samples[0].value for name, family in families.items() if len(family.samples) == 1}
    assert content_type.startswith("application/openmetrics-text")
    assert values["dropscribe_oldest_unfinished_seconds"] == 100.0
    assert values["dropscribe_unfinished_bytes"] == 1234.0
    assert values["dropscribe_billed_seconds"] == 60.0
    assert values["dropscribe_notices_waiting"] == 3.0
    assert values["dropscribe_limit_used_seconds"] == 90.0


def test_plain_text_is_given_to_everybody_else() -> None:
    body, content_type = text_of(PICTURE, "*/*")

    assert content_type.startswith("text/plain")
    assert b'dropscribe_tasks{state="running"} 2.0\n' in body
