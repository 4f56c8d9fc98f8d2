"""Every key there is: its name, its reader, its default. A test holds `config.example.yaml` equal to these tables."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dropscribe.config.models import MODELS
from dropscribe.config.reading import Reader
from dropscribe.config.telling import command, prices_by_model, webhook_secret, webhook_url
from dropscribe.config.units import byte_count, duration
from dropscribe.config.urls import endpoint
from dropscribe.config.values import (
    boolean,
    choice,
    folder_or,
    list_of,
    matching,
    names_by_number,
    nullable,
    number,
    path,
    secret,
    text_of,
    token,
    whole,
)
from dropscribe.config.yaml_lines import Items, Node, Scalar, Table
from dropscribe.render import FORMATS
from dropscribe.render.profiles import DEFAULT_PROFILE, PROFILES

DEFAULT_FORMATS: Final[Collection[str]] = frozenset(FORMATS)
"""The outputs that can be asked for where nobody says otherwise."""

OSS_ENDPOINT = "https://oss-{region}.aliyuncs.com"


class Derived:
    """A default that other values give (`derive`), or none at all."""

    def __repr__(self) -> str:
        return "DERIVED"


DERIVED: Final = Derived()


Default = str | tuple[str, ...] | Table


@dataclass(frozen=True)
class Key:
    """One key. `default` is what would be written in its place; None: it is required, with `example` to show how.

    `env` names the environment variable that stands in for a key that is absent or null.
    """

    name: str
    read: Reader[Any]
    default: Default | Derived | None = None
    example: str = ""
    env: str | None = None


@dataclass(frozen=True)
class Section:
    """A mapping below a key; left out, all of its keys have their defaults."""

    name: str
    keys: tuple["Key | Section", ...] = ()


Entries = Sequence[Key | Section]


def as_node(default: Default, line: int) -> Node:
    """A default in the form in which it would be written."""
    if isinstance(default, Table):
        return replace(default, line=line)
    if isinstance(default, tuple):
        return Items(line, tuple(Scalar(line, text, plain=False) for text in default))
    return Scalar(line, default)


def _unread(node: Node) -> Node:
    """Read later, when it is known for which model."""
    return node


STATE = Key("state", path, "./state")
KEEP_RESULTS = Key("keep_results", duration(above_zero=True), "90d")

MODEL_STUDIO = Section(
    "model_studio",
    (
        Key(
            "endpoint",
            endpoint("https://dashscope.aliyuncs.com", with_path=True),
            "https://dashscope.aliyuncs.com",
        ),
        Key("insecure", boolean, "false"),
        Key("api_key", nullable(secret), DERIVED, env="DASHSCOPE_API_KEY"),
        Key("max_urls_per_task", whole(1, 100), "100"),
        Key("submit_rate", number(above=0, most=10), "8"),
        Key("query_rate", number(above=0, most=20), "15"),
        Key("lost_submit_grace", duration(above_zero=True, most="1d"), "3m"),
        Section(
            "poll",
            (
                Key("first", duration(least="10ms", most="1h"), "2s"),
                Key("longest", duration(least="10ms", most="1h"), "30s"),
            ),
        ),
    ),
)

STORAGE = Section(
    "storage",
    (
        Key("provider", choice("oss", later="temporary"), "oss"),
        Key(
            "bucket",
            matching(
                r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "the bucket's name: 3 to 63 lower-case letters, digits and hyphens"
            ),
            DERIVED,
            example="my-bucket",
        ),
        Key(
            "region",
            matching(r"(?!oss-)[a-z]+(-[a-z0-9]+)+", "the region's id, such as cn-beijing (without oss-)"),
            DERIVED,
            example="cn-beijing",
        ),
        Key("endpoint", endpoint("https://oss-cn-beijing.aliyuncs.com"), DERIVED),
        Key("public_endpoint", endpoint("https://media.example.com"), DERIVED),
        Key("insecure", boolean, "false"),
        Key("cname", boolean, "false"),
        Key("access_key_id", nullable(token), DERIVED, env="OSS_ACCESS_KEY_ID"),
        Key("access_key_secret", nullable(secret), DERIVED, env="OSS_ACCESS_KEY_SECRET"),
        Key("session_token", nullable(secret), DERIVED, env="OSS_SESSION_TOKEN"),
        Key(
            "ram_role",
            nullable(matching(r"[A-Za-z0-9._@-]{1,64}", "the name of an ECS RAM role, or null")),
            "null",
        ),
        Key(
            "prefix",
            matching(
                r"(?!.*\.\.)(?!.*//)(?!/)[A-Za-z0-9._=/-]{1,200}",
                "a folder in the bucket such as dropscribe/: letters, digits and -._=/, neither a slash first nor `..`",
            ),
            "dropscribe/",
        ),
        Key("url_lifetime", duration(above_zero=True, most="7d"), "48h"),
        Key("uploads", whole(1, 64), "4"),
        Key("multipart_above", byte_count("100KB", "5GB"), "100MB"),
    ),
)

BATCH = Section("batch", (Key("max_wait", duration(most="1d"), "10s"),))

RETRY = Section(
    "retry",
    (
        Key("attempts", whole(1, 1000), "5"),
        Key("first_wait", duration(least="1ms", most="30d"), "5s"),
        Key("longest_wait", duration(least="1ms", most="30d"), "15m"),
    ),
)

LIMITS = Section(
    "limits",
    (
        Key("hours_per_day", nullable(number(above=0, most=1_000_000)), "null"),
        Key("hours_per_month", nullable(number(above=0, most=1_000_000)), "null"),
    ),
)

PRICES = Section(
    "prices",
    (
        Key("currency", nullable(matching(r"[A-Z]{3}", "three capital letters such as CNY or USD")), "null"),
        Key("per_hour", prices_by_model, Table(0)),
    ),
)

EVENTS = ("failed", "delivered", "scope-opened", "scope-closed", "folder-alarm")

NOTIFY = Section(
    "notify",
    (
        Key("events", list_of(choice(*EVENTS), f"a list of {', '.join(EVENTS)}", unique=True), EVENTS),
        Key("command", nullable(command), "null"),
        Key("timeout", duration(least="100ms", most="1h"), "30s"),
        Section(
            "webhook",
            (
                Key("url", nullable(webhook_url), "null"),
                Key("secret", nullable(webhook_secret), "null"),
                Key("insecure", boolean, "false"),
            ),
        ),
        Key("keep", duration(least="1m", most="30d"), "3d"),
    ),
)

METRICS = Section("metrics", (Key("port", nullable(whole(1, 65535)), "null"),))

TOP: tuple[Key | Section, ...] = (
    STATE,
    MODEL_STUDIO,
    STORAGE,
    BATCH,
    RETRY,
    KEEP_RESULTS,
    LIMITS,
    PRICES,
    NOTIFY,
    METRICS,
)
"""All but the inboxes."""

PATTERNS = list_of(text_of("a pattern such as *.mp3"), 'a list of patterns such as ["*.mp3"]')


SUBTITLES = Section(
    "subtitles",
    (
        Key("profile", choice(*PROFILES), DEFAULT_PROFILE),
        Key("line", nullable(whole(8, 100)), "null"),
        Key("lines", nullable(whole(1, 3)), "null"),
        Key("longest", nullable(duration(least="1s", most="30s")), "null"),
        Key("shortest", nullable(duration(least="100ms", most="10s")), "null"),
        Key("gap", nullable(duration(most="1s")), "null"),
        Key("cps", nullable(number(above=0, most=100)), "null"),
        Key("words", boolean, "false"),
        Key("dialog", boolean, "false"),
        Key("channel_files", boolean, "false"),
    ),
)
"""What is null is as the profile and the script of the text have it."""


def inbox_keys(formats: Collection[str]) -> tuple[Key | Section, ...]:
    """The keys of one inbox, where `formats` can be rendered."""
    some_formats = f"a list of formats such as [{', '.join(sorted(formats))}]"
    return (
        Key(
            "name",
            matching(r"[\w-]{1,100}", "a word of letters, digits, - and _"),
            DERIVED,
        ),
        Key("inbox", path, example="/srv/dropscribe/meetings/inbox"),
        Key("outbox", path, DERIVED),
        Key("done", folder_or("keep", "delete"), DERIVED),
        Key("failed", path, DERIVED),
        # Below 50 ms two looks say nothing: many file systems' clocks do not tick faster than 10 ms.
        Key("settle", duration(least="50ms", most="1d"), "5s"),
        Key("rescan", duration(least="100ms", most="30d"), "60s"),
        Key("watch", choice("auto", "events", "polling"), "auto"),
        Key("include", list_of(text_of("a pattern"), 'a list of patterns such as ["*"]', least=1), ("*",)),
        Key("exclude", PATTERNS, (".*", "*.part", "*.tmp", "*.crdownload", "~*")),
        Key("model", choice(*MODELS), "fun-asr"),
        Key("recognition", _unread, Table(0)),
        Key("prepare", choice("as-is"), "as-is"),
        Key(
            "outputs",
            list_of(choice(*sorted(formats)), some_formats, least=1, unique=True),
            ("json", "srt"),
        ),
        SUBTITLES,
        Key("speakers", names_by_number("a mapping of numbers to names such as {0: Anna, 1: Ben}"), Table(0)),
    )
