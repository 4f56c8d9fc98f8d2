"""README.md and docs/: what they say of codes, commands, keys and files is what the code says."""

import json
import re
import textwrap
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import click
import pytest
import yaml

from dropscribe.cli import COMMANDS, commands
from dropscribe.cli.exits import ExitCode
from dropscribe.config import load
from dropscribe.error_codes import (
    REQUEST_CODES,
    UNKNOWN_SUBTASK,
    Permanent,
    TryAgain,
    classify_request,
    classify_subtask,
    remedy_for,
)
from dropscribe.errors import OutOfOrder
from dropscribe.model import MEDIA_SUFFIXES
from dropscribe.remote.storage_codes import STORAGE_CODES, classify_storage
from dropscribe.render import FORMATS
from dropscribe.render.profiles import PROFILES

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")
PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])
TEXTS = {str(page.relative_to(REPOSITORY)): page.read_text("utf-8") for page in PAGES}
PACKAGE = REPOSITORY / "daemon/dropscribe"
SOURCES = [
    path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts and not path.name.endswith("_codes.py")
]
OURS = "\n".join(path.read_text("utf-8") for path in SOURCES)
KEYS = (REPOSITORY / "config.example.yaml").read_text("utf-8")
STORAGE = {code for row in STORAGE_CODES for code in row.codes}
HEAD = "| code | what is wrong | what to do |\n| --- | --- | --- |\n"


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def rows(text: str) -> list[tuple[str, ...]]:
    """The rows of the table at the beginning of a text."""
    lines = text[: text.find("\n\n")].splitlines()
    return [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines]


def section(name: str, page: str = "README.md") -> str:
    return re.split(r"^#+ ", TEXTS[page].split(f"# {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


_, FAILING, WAITING = (rows(part) for part in README.split(HEAD))


def ids(row: object) -> str:
    return row[0] if isinstance(row, tuple) else str(row)


def is_ours(code: str) -> bool:
    """Whether the house gives this code itself, and neither service does."""
    return f'"{code}"' in OURS and code not in STORAGE and not fails_a_file(code) and not refuses_all(code)


def fails_a_file(code: str) -> bool:
    """Whether Model Studio's verdict on a file can end in failed/."""
    verdict = classify_subtask(code, None)
    return isinstance(verdict, Permanent | TryAgain) and verdict != UNKNOWN_SUBTASK


def refuses_all(code: str) -> bool:
    """Whether Model Studio's refusal of a request is known to concern more than its files."""
    known = any(fnmatchcase(code.lower(), each.lower()) for row in REQUEST_CODES for each in row.codes)
    return known and isinstance(classify_request(400, code, "", "submit", "fun-asr"), OutOfOrder)


def waits(code: str) -> bool:
    """Whether either service's code opens a scope."""
    return refuses_all(code) or (code in STORAGE and isinstance(classify_storage(403, code, "", ""), OutOfOrder))


def remedy(code: str) -> str:
    """What the tables say can be done about a code: Model Studio's, else the storage's, else nothing."""
    if fails_a_file(code) or refuses_all(code):
        return remedy_for(code)
    return classify_storage(403, code, "", "").remedy if code in STORAGE else ""


@pytest.mark.parametrize("row", FAILING, ids=ids)
def test_every_code_that_is_said_to_fail_a_file_does(row: tuple[str, ...]) -> None:
    for code in quoted(row[0]):
        assert is_ours(code) or fails_a_file(code)


@pytest.mark.parametrize("row", WAITING, ids=ids)
def test_every_code_that_is_said_to_make_files_wait_opens_a_scope(row: tuple[str, ...]) -> None:
    for code in quoted(row[0]):
        assert is_ours(code) or waits(code)


@pytest.mark.parametrize("row", [*FAILING, *WAITING], ids=ids)
def test_codes_of_one_row_have_the_same_remedy(row: tuple[str, ...]) -> None:
    assert len({remedy(code) for code in quoted(row[0]) if not is_ours(code)}) <= 1


@pytest.mark.parametrize("row", [*FAILING, *WAITING], ids=ids)
def test_what_is_to_be_looked_at_is_what_the_remedy_names(row: tuple[str, ...]) -> None:
    said = " ".join(remedy(code) for code in quoted(row[0]))
    for word in quoted(row[2]):
        if word != "retry" and not word.startswith("dropscribe "):
            assert re.search(rf"{re.escape(word)}(?!\w)", said)


def test_the_policy_grants_what_the_remedy_of_a_refusal_asks_for() -> None:
    [policy] = blocks("README.md", "json")
    granted = {action for statement in json.loads(policy)["Statement"] for action in statement["Action"]}
    assert set(re.findall(r"oss:\w+", classify_storage(403, "AccessDenied", "", "").remedy)) < granted


def test_every_exit_code_is_in_the_table() -> None:
    told = [row[0] for row in rows(section("Exit codes").lstrip())[2:]]
    assert told == [str(int(code)) for code in ExitCode]


@pytest.mark.parametrize(("page", "title"), [("README.md", "Every day"), ("docs/reference.md", "Commands")])
def test_every_command_is_in_the_tables(page: str, title: str) -> None:
    told = re.findall(r"`dropscribe (\w+)", section(title, page).split("\n\n`dropscribe COMMAND", 1)[0])
    assert set(told) == set(COMMANDS)


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page, without their indent."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", TEXTS[page], re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def calls() -> Iterator[tuple[str, str, str]]:
    """(page, command, the words after it), wherever a page shows a call."""
    call = re.compile(r"(?:^|[/ ])dropscribe (?!dropscribe\b)([a-z]\w*)((?: +(?!#)[^\s|]+)*)", re.MULTILINE)
    for page, text in TEXTS.items():
        shown = [*quoted(re.sub(r"^ *```.*", "", text, flags=re.MULTILINE)), *blocks(page, "sh")]
        for name, words in call.findall("\n".join(shown)):
            yield page, name, words


@pytest.mark.parametrize(("page", "name", "words"), sorted(set(calls())))
def test_every_call_that_is_shown_can_be_made(page: str, name: str, words: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None, f"there is no command {name}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.strip("[],.;:") for word in re.findall(r"--[\w-]+", words)} <= {*known, "--help"}


@pytest.mark.parametrize(("page", "text"), [(page, text) for page in TEXTS for text in blocks(page, "yaml")])
def test_every_piece_of_a_configuration_that_is_shown_is_one(page: str, text: str, tmp_path: Path) -> None:
    shown = yaml.safe_load(text)
    inbox = {"inbox": "inbox"} if "inboxes" in shown else {"inbox": "inbox", **shown}
    top = shown if set(shown) & set(TOP) else {"inboxes": [inbox]}
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**REQUIRED, **top}))
    for name in re.findall(r"\$\{credential:([\w-]+)\}", text):
        (tmp_path / name).write_text("a-secret-of-its-own")

    settings = load(config, {**ENVIRONMENT, "CREDENTIALS_DIRECTORY": str(tmp_path)}, filesystem_of=lambda _: "ext4")

    assert settings.warnings == ()


TOP = yaml.safe_load(KEYS)
REQUIRED = {"storage": {"bucket": "my-bucket", "region": "cn-beijing"}, "inboxes": [{"inbox": "inbox"}]}
ENVIRONMENT = {"DASHSCOPE_API_KEY": "sk", "OSS_ACCESS_KEY_ID": "id", "OSS_ACCESS_KEY_SECRET": "secret"}


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links() -> Iterator[tuple[str, str]]:
    for page, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target:
                yield page, target


@pytest.mark.parametrize(("page", "target"), sorted(set(links())))
def test_every_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    there = (REPOSITORY / page).parent / path if path else REPOSITORY / page
    assert there.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
        assert anchor in map(slug, headings)


def test_all_pages_are_linked_from_the_readme() -> None:
    linked = {target for page, target in links() if page == "README.md"}
    assert {page for page in TEXTS if page != "README.md"} <= linked


def test_the_types_that_are_taken_are_all_there() -> None:
    told = section("What is taken", "docs/reference.md").split("Files ending in", 1)[1].split(", within")[0]
    assert set(re.findall(r"\w+", told)) - {"or"} == MEDIA_SUFFIXES


def test_formats_and_profiles_are_all_there() -> None:
    table = section("Subtitles and texts", "docs/subtitles.md").lstrip()
    assert {name for row in rows(table)[2:] for name in quoted(row[0])} == set(FORMATS)
    assert set(FORMATS) <= set(quoted(section("Subtitles and formats")))
    profiles = section("Settings", "docs/subtitles.md").split("Profiles are", 1)[1].split(". ")[0]
    assert set(quoted(profiles)) == set(PROFILES)
