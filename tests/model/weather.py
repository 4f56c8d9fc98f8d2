"""What the cloud may do, by name: which faults of the sandbox it is, and what it may cost at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Weather:
    """`faults` as the sandbox takes them. `costs`: how many further payments of one recognition it may bring about, all
    of which have to be told. `fails`: whether a good file may end in failed/ because of it.
    """

    faults: tuple[Mapping[str, Any], ...]
    costs: int = 0
    fails: bool = False


def _on(call: str, does: str, **how: Any) -> Mapping[str, Any]:
    return {"call": call, "does": does, **how}


_LOST = _on("submit", "lost", times=1)
_USELESS = "<html>busy</html>"

WEATHER: Mapping[str, Weather] = {
    # the submit, the only act that costs
    "the answer to the next submit is lost": Weather((_LOST,)),
    "the next submit never arrives": Weather((_on("submit", "drop", times=1),)),
    "the next submit is answered with 500": Weather((_on("submit", "error", status=500, times=1),)),
    "the next answer to a submit is no JSON": Weather((_on("submit", "not_json", times=1),)),
    "a proxy doubles the next submit": Weather((_on("submit", "twice", times=1),), costs=1),
    "a proxy doubles the next submit, and its answer is lost": Weather(
        (_on("submit", "twice", times=1), _LOST), costs=1
    ),
    "the next submit arrives five minutes late": Weather((_on("submit", "late", seconds=300.0, times=1),)),
    "the answer to the next submit is lost, and the task list lags two minutes": Weather(
        (_LOST, _on("list", "lag", seconds=120.0))
    ),
    "the answer to the next submit is lost, and the task list lags five minutes": Weather(
        (_LOST, _on("list", "lag", seconds=300.0)), costs=1
    ),
    "the answer to the next submit is lost, and the task list cannot be read for ten minutes": Weather(
        (_LOST, _on("list", "error", status=500, for_seconds=600.0))
    ),
    "submits are throttled twice": Weather((_on("submit", "error", status=429, code="Throttling", times=2),)),
    "the account is in arrears for ten minutes": Weather(
        (_on("submit", "error", status=402, code="Arrearage", for_seconds=600.0),)
    ),
    "the key is refused for ten minutes": Weather(
        tuple(
            _on(call, "error", status=401, code="InvalidApiKey", for_seconds=600.0)
            for call in ("submit", "query", "list")
        )
    ),
    "the account takes one URL a task for an hour": Weather((_on("submit", "one_url", for_seconds=3600.0),)),
    "the next two tasks answer only their first URL": Weather((_on("submit", "first_only", times=2),)),
    # the task
    "the next query's answer is cut": Weather((_on("query", "truncate", times=1),)),
    "queries fail with 500 twice": Weather((_on("query", "error", status=500, times=2),)),
    "tasks are unknown in two looks": Weather((_on("query", "unknown", times=2),)),
    "tasks are unknown for ten minutes, though the list shows them": Weather(
        (_on("query", "unknown", for_seconds=600.0),)
    ),
    "the service forgets its tasks for an hour": Weather(
        (_on("query", "unknown", for_seconds=3600.0), _on("list", "hide", for_seconds=3600.0)), costs=2, fails=True
    ),
    "results come reordered, doubled, with a stranger's, without queries": Weather(
        tuple(_on("query", does, for_seconds=600.0) for does in ("reorder", "duplicate", "foreign", "bare_urls"))
    ),
    "answers come without output around them": Weather((_on("query", "unwrapped", for_seconds=600.0),)),
    "a file is missing from the results in one look": Weather((_on("query", "missing", times=1),)),
    "files are missing from the results for ten minutes": Weather(
        (_on("query", "missing", for_seconds=600.0),), costs=2, fails=True
    ),
    "the task is THINKING for a while": Weather((_on("query", "status", code="THINKING", times=4),)),
    "one file's recognition fails once": Weather((_on("subtask", "fail", code="InternalError", times=1),)),
    "one task takes too long": Weather(  # twice, which is as often as that is tried
        (_on("subtask", "fail", code="InternalError.Timeout", times=2),), fails=True
    ),
    "the service's downloads fail twice": Weather((_on("download", "drop", times=2),)),
    # the results
    "results fail with 500 twice": Weather((_on("result", "error", status=500, times=2),)),
    "a result is cut": Weather((_on("result", "truncate", times=1),)),
    "a result is no JSON once": Weather((_on("result", "body", message=_USELESS, times=1),)),
    "results are no JSON for an hour": Weather(
        (_on("result", "body", message=_USELESS, for_seconds=3600.0),), costs=0, fails=True
    ),
    "a result's address has expired": Weather((_on("result", "expired", times=2),), costs=1),
    # the storage
    "the next upload is cut": Weather((_on("put", "drop", times=1),)),
    "the next upload arrives, and its answer is lost": Weather((_on("put", "lost", times=1),)),
    "uploads fail with 500 twice": Weather((_on("put", "error", status=500, code="InternalError", times=2),)),
    "the bucket is denied for ten minutes": Weather(
        tuple(
            _on(call, "error", status=403, code="AccessDenied", for_seconds=600.0)
            for call in ("put", "get", "delete_many")
        )
    ),
    "deletes are denied for ten minutes": Weather(
        tuple(
            _on(call, "error", status=403, code="AccessDenied", for_seconds=600.0) for call in ("delete", "delete_many")
        )
    ),
    "the answer to the next delete is lost": Weather(
        tuple(_on(call, "lost", times=1) for call in ("delete", "delete_many"))
    ),
    # uploads in parts
    "the next part is cut on its way": Weather((_on("part", "drop", times=1),)),
    "the next part arrives, and its answer is lost": Weather((_on("part", "lost", times=1),)),
    "parts fail with 500 three times": Weather((_on("part", "error", status=500, code="InternalError", times=3),)),
    "the answer to the next beginning of an upload is lost": Weather((_on("initiate", "lost", times=1),)),
    "the next completed upload's answer is lost": Weather((_on("complete", "lost", times=1),)),
    "completions fail with 500 for ten minutes": Weather(
        (_on("complete", "error", status=500, code="InternalError", for_seconds=600.0),)
    ),
    "the lists of parts cannot be read for ten minutes": Weather(
        tuple(
            _on(call, "error", status=500, code="InternalError", for_seconds=600.0)
            for call in ("list_parts", "list_uploads")
        )
    ),
    # the way
    "the network is gone for two minutes": Weather((_on("*", "drop", for_seconds=120.0),)),
}

OF_PARTS = frozenset(
    name
    for name, one in WEATHER.items()
    if {fault["call"] for fault in one.faults} <= {"part", "initiate", "complete", "list_parts", "list_uploads"}
)
"""What only large files meet."""
