"""JSON Schemas of docs/protocol.md, one file a body."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jsonschema

MOST_SHOWN = 5


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """The schema of `name.json` beside this module, ready to judge."""
    schema = json.loads(Path(__file__).with_name(f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def complaints(name: str, body: bytes) -> Iterator[str]:
    """What is wrong with a JSON body."""
    try:
        document = json.loads(body)
    except ValueError:
        yield "it is not JSON"
        return
    for error in list(validator(name).iter_errors(document))[:MOST_SHOWN]:
        yield f"at {error.json_path}: {error.message[:300]}"
