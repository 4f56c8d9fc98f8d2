"""The `recognition` settings: known ones are checked, unknown ones are passed on with a warning."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dropscribe.config.models import MODELS
from dropscribe.config.reading import Flaw, Reader, Reported, Wrong, meant, scalar
from dropscribe.config.values import (
    boolean,
    list_of,
    matching,
    number,
    text_of,
    whole,
)
from dropscribe.config.wording import join, nearest
from dropscribe.config.yaml_lines import Broken, Items, Node, Scalar, Table

A_FILTER = "a mapping such as {system_reserved_filter: false}, or the same as JSON text"
DIARIZATION, SPEAKERS = "diarization_enabled", "speaker_count"
CHANNELS, HINTS = "channel_id", "language_hints"


@dataclass
class Read:
    """What was read: usable values, flaws of the others, sentences for the log."""

    values: dict[str, Any] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)
    warnings: list[Flaw] = field(default_factory=list)


def read_recognition(node: Node, model: str | None) -> Read:
    """All of `recognition` for `model`; where the model is not known, for what any of them takes.

    Raises Wrong where it is no mapping at all; Reported.
    """
    if isinstance(node, Broken):
        raise Reported
    if not isinstance(node, Table):
        raise Wrong("has to be a mapping; right is {} for no settings, or keys such as language_hints: [zh]")
    result = Read()
    known = MODELS.get(model or "", frozenset(READERS))
    for key, value in node.entries.items():
        if key not in known:
            result.warnings.append(_unknown(key, value, known))
        _read_one(key, value, READERS[key] if key in known else plain, result)
    result.flaws += _impossible(result.values, node)
    result.warnings += _unread_hints(result.values, node)
    return result


def _read_one(key: str, value: Node, read: Reader[Any], result: Read) -> None:
    try:
        result.values[key] = read(value)
    except Wrong as wrong:
        suffix = join("", key)
        result.flaws += [Flaw(f.message, f".{suffix}{f.suffix}", f.line or value.line) for f in wrong.flaws]
    except Reported:
        return


def _unknown(key: str, value: Node, known: frozenset[str]) -> Flaw:
    message = "is not a known setting of this model and is passed on unchecked"
    return Flaw(message + nearest(key, known), f".{join('', key)}", value.line)


def _impossible(values: Mapping[str, Any], node: Table) -> list[Flaw]:
    """Settings that cannot stand together."""
    flaws = []
    broken = DIARIZATION in node.entries and DIARIZATION not in values
    diarization = values.get(DIARIZATION, False)
    if SPEAKERS in values and not diarization and not broken:
        message = f"needs speakers to be told apart; add {DIARIZATION}: true, or leave {SPEAKERS} out"
        flaws.append(Flaw(message, f".{SPEAKERS}", node.entries[SPEAKERS].line))
    if diarization and len(values.get(CHANNELS, ())) > 1:
        message = f"several channels cannot be had with {DIARIZATION}; name one channel, or turn that off"
        flaws.append(Flaw(message, f".{CHANNELS}", node.entries[CHANNELS].line))
    return flaws


def _unread_hints(values: Mapping[str, Any], node: Table) -> list[Flaw]:
    if len(values.get(HINTS, ())) < 2:
        return []
    message = "the service reads the first language only; the others may have no effect"
    return [Flaw(message, f".{HINTS}", node.entries[HINTS].line)]


def _list(read: Reader[list[Any] | tuple[Any, ...]]) -> Reader[list[Any]]:
    """JSON knows lists only."""
    return lambda node: list(read(node))


def _filter(node: Node) -> dict[str, Any]:
    """A mapping either way, so that both ways of writing it are the same recognition."""
    value = _from_json(scalar(node, A_FILTER)) if isinstance(node, Scalar) else plain(node)
    if not isinstance(value, dict):
        raise Wrong(f"has to be a mapping; right is {A_FILTER}")
    _as_json(value)
    return value


def _from_json(node: Scalar) -> Any:
    try:
        return json.loads(node.text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"is neither a mapping nor JSON; right is {A_FILTER}") from error


def plain(node: Node) -> Any:
    """Any value as JSON knows it. Raises Wrong where JSON does not (.nan, .inf, broken text); Reported."""
    return _as_json(_unwrapped(node))


def _unwrapped(node: Node) -> Any:
    match node:
        case Broken():
            raise Reported
        case Items():
            return [_unwrapped(item) for item in node.items]
        case Table():
            return {key: _unwrapped(value) for key, value in node.entries.items()}
        case Scalar():
            return meant(node)


def _as_json(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Wrong("holds what JSON cannot carry; right are texts, finite numbers, lists and mappings") from error
    return value


READERS: Mapping[str, Reader[Any]] = {
    "language_hints": _list(
        list_of(matching(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", "a language code such as zh"), "a list such as [zh]")
    ),
    "diarization_enabled": boolean,
    "speaker_count": whole(2, 100),
    "channel_id": _list(list_of(whole(0), "a list of channel numbers such as [0]", least=1, unique=True)),
    "vocabulary_id": text_of("the id of a vocabulary, such as vocab-abc"),
    "special_word_filter": _filter,
    "speech_noise_threshold": number(),
}
"""Every setting that a model of ours takes."""
