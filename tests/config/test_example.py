"""`config.example.yaml` and the tables of keys say the same."""

import re
from pathlib import Path

import pytest

from dropscribe.config.models import MODELS
from dropscribe.config.schema import TOP, Key, Section, as_node, inbox_keys
from dropscribe.config.yaml_lines import Table, parse

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
ROOT, _ = parse(TEXT)
INBOX = ROOT.entries["inboxes"].items[0]
ENTRIES = [("", entry, ROOT) for entry in TOP] + [
    ("inboxes[0].", entry, INBOX) for entry in inbox_keys({"json", "srt"})
]


def keys(prefix, entry, table):
    if isinstance(entry, Section):
        for below in entry.keys:
            yield from keys(f"{prefix}{entry.name}.", below, table.entries[entry.name])
    else:
        yield prefix + entry.name, entry, table


ALL: dict[str, tuple[Key, Table]] = {path: (key, table) for args in ENTRIES for path, key, table in keys(*args)}


@pytest.mark.parametrize("path", ALL)
def test_every_key_stands_in_the_example_with_its_default(path):
    key, table = ALL[path]
    node = table.entries[key.name]

    if key.env:
        assert node.value in (f"${{{key.env}}}", None)
    elif isinstance(key.default, str | tuple | Table):
        assert key.read(node) == key.read(as_node(key.default, node.line))
    else:
        assert key.read(node)


def test_the_example_is_what_one_gets_who_writes_only_what_is_required(config):
    example = config.load_text(TEXT)

    shortest = config.set("inboxes[0].inbox", "meetings/inbox").load()

    assert example == shortest


@pytest.mark.parametrize(
    "line", [line for line in TEXT.splitlines() if line.strip() and not line.startswith("#")], ids=str.strip
)
def test_every_line_of_the_example_is_a_key_with_one_comment(line):
    assert re.fullmatch(r" *(- |#   )?\w+:( .*?)? # \S.*", line)
    assert line.lstrip("# ").count(" # ") == 1


def test_the_settings_of_recognition_that_the_example_shows_are_all_there_are_and_right(config):
    shown = re.findall(r"^    #   (\w+):", TEXT, re.M)
    text = TEXT.replace("recognition: {} ", "recognition: ").replace("    #   ", "      ")

    settings = config.load_text(text)

    assert set(shown) == set.union(*map(set, MODELS.values()))
    assert set(settings.inboxes[0].recognition) == set(shown)
    assert settings.warnings == ()
