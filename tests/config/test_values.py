"""Every key by itself: what it takes, what it refuses, and what it is when nobody writes it."""

from operator import attrgetter
from pathlib import Path

import pytest

from dropscribe.model import Secret
from dropscribe.render import FORMATS
from dropscribe.render.profiles import Subtitles

FIRST = "inboxes[0]"


def value_at(settings, path: str):
    if path.startswith(FIRST):
        return attrgetter(path.removeprefix(f"{FIRST}."))(settings.inboxes[0])
    return attrgetter(path)(settings)


DEFAULTS = [
    ("model_studio.endpoint", "https://dashscope.aliyuncs.com"),
    ("model_studio.max_urls_per_task", 100),
    ("model_studio.submit_rate", 8.0),
    ("model_studio.query_rate", 15.0),
    ("model_studio.lost_submit_grace", 180.0),
    ("model_studio.poll.first", 2.0),
    ("model_studio.poll.longest", 30.0),
    ("storage.provider", "oss"),
    ("storage.endpoint", "https://oss-cn-beijing.aliyuncs.com"),
    ("storage.public_endpoint", "https://oss-cn-beijing.aliyuncs.com"),
    ("storage.cname", False),
    ("storage.session_token", None),
    ("storage.ram_role", None),
    ("storage.prefix", "dropscribe/"),
    ("storage.url_lifetime", 48 * 3600.0),
    ("storage.uploads", 4),
    ("storage.multipart_above", 100_000_000),
    ("batch.max_wait", 10.0),
    ("retry.attempts", 5),
    ("retry.first_wait", 5.0),
    ("retry.longest_wait", 900.0),
    ("keep_results", 90 * 86400.0),
    (f"{FIRST}.name", "talks"),
    (f"{FIRST}.settle", 5.0),
    (f"{FIRST}.rescan", 60.0),
    (f"{FIRST}.watch", "auto"),
    (f"{FIRST}.include", ("*",)),
    (f"{FIRST}.exclude", (".*", "*.part", "*.tmp", "*.crdownload", "~*")),
    (f"{FIRST}.model", "fun-asr"),
    (f"{FIRST}.recognition", {}),
    (f"{FIRST}.prepare", "as-is"),
    (f"{FIRST}.outputs", ("json", "srt")),
    (f"{FIRST}.subtitles", Subtitles()),
    (f"{FIRST}.speakers", {}),
]


@pytest.mark.parametrize(("path", "expected"), DEFAULTS)
def test_a_key_that_is_not_written_has_the_default_of_the_contract(config, path, expected):
    assert value_at(config.load(), path) == expected


def test_folders_default_to_places_beside_the_inbox_and_state_to_one_beside_the_file(config):
    settings = config.load()

    inbox = settings.inboxes[0]
    talks = config.folder / "talks"
    assert (inbox.inbox, inbox.outbox, inbox.done, inbox.failed) == tuple(
        talks / name for name in ("inbox", "outbox", "done", "failed")
    )
    assert (settings.state, settings.path) == (config.folder / "state", config.path)


ACCEPTED = [
    ("model_studio.endpoint", "https://ws1.cn-beijing.maas.aliyuncs.com/", "https://ws1.cn-beijing.maas.aliyuncs.com"),
    ("model_studio.endpoint", "http://127.0.0.1:8080/studio", "http://127.0.0.1:8080/studio"),
    ("model_studio.endpoint", "http://127.8.9.1:8080", "http://127.8.9.1:8080"),
    ("model_studio.endpoint", "http://[::1]:8080", "http://[::1]:8080"),
    ("model_studio.endpoint", "http://localhost", "http://localhost"),
    ("model_studio.api_key", "sk-written", Secret("sk-written")),
    ("model_studio.api_key", "12345678", Secret("12345678")),
    ("model_studio.api_key", "0012e4", Secret("0012e4")),
    ("model_studio.api_key", "null", Secret("sk-from-environment")),
    ("model_studio.api_key", '""', Secret("sk-from-environment")),
    ("model_studio.max_urls_per_task", "1", 1),
    ("model_studio.submit_rate", "0.5", 0.5),
    ("model_studio.submit_rate", "10", 10.0),
    ("model_studio.submit_rate", "1e0", 1.0),
    ("model_studio.query_rate", "20", 20.0),
    ("model_studio.lost_submit_grace", "200ms", 0.2),
    ("model_studio.poll", "{first: 50ms, longest: 50ms}", None),
    ("storage.endpoint", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ("storage.session_token", "abc+/=", Secret("abc+/=")),
    ("storage.session_token", "~", None),
    ("storage.prefix", "a/b", "a/b/"),
    ("storage.prefix", "a/b/", "a/b/"),
    ("storage.prefix", "2026", "2026/"),
    ("storage.url_lifetime", "7d", 7 * 86400.0),
    ("storage.uploads", "64", 64),
    ("storage.multipart_above", "100KB", 100_000),
    ("storage.multipart_above", "5GB", 5_000_000_000),
    ("storage.multipart_above", "1.5 MiB", 1_572_864),
    ("storage.multipart_above", "1gib", 1_073_741_824),
    ("storage.multipart_above", "204800B", 204_800),
    ("batch.max_wait", "0", 0.0),
    ("batch.max_wait", "0s", 0.0),
    ("batch.max_wait", "1.5h", 5400.0),
    ("batch.max_wait", ".5m", 30.0),
    ("batch.max_wait", "7ms", 0.007),
    ("batch.max_wait", '"10 s"', 10.0),
    ("retry.attempts", "1", 1),
    ("retry.attempts", "0x10", 16),
    ("keep_results", "2d", 172800.0),
    (f"{FIRST}.name", "2026", "2026"),
    (f"{FIRST}.name", "no", "no"),
    (f"{FIRST}.name", "会议-1_b", "会议-1_b"),
    (f"{FIRST}.done", "keep", "keep"),
    (f"{FIRST}.done", "delete", "delete"),
    (f"{FIRST}.settle", "50ms", 0.05),
    (f"{FIRST}.rescan", "0.5s", 0.5),
    (f"{FIRST}.watch", "polling", "polling"),
    (f"{FIRST}.include", '["*.mp3", 2026]', ("*.mp3", "2026")),
    (f"{FIRST}.exclude", "[]", ()),
    (f"{FIRST}.model", "fun-asr-mtl-2025-08-25", "fun-asr-mtl-2025-08-25"),
    (f"{FIRST}.outputs", "[srt]", ("srt",)),
    (f"{FIRST}.outputs", "[raw, vtt, verbose_json]", ("raw", "vtt", "verbose_json")),
    (f"{FIRST}.subtitles", "{profile: single-line}", Subtitles("single-line")),
    (f"{FIRST}.subtitles", "{line: 42, lines: 3}", Subtitles(line=42, lines=3)),
    (f"{FIRST}.subtitles", "{longest: 6s, shortest: 1s}", Subtitles(longest=6.0, shortest=1.0)),
    (f"{FIRST}.subtitles", "{dialog: true, channel_files: true}", Subtitles(dialog=True, channel_files=True)),
    (f"{FIRST}.subtitles", "{gap: 0, cps: 17.5, words: true}", Subtitles(gap=0.0, cps=17.5, words=True)),
    (f"{FIRST}.speakers", "{0: Anna, 1: Ben Li}", {0: "Anna", 1: "Ben Li"}),
    (f"{FIRST}.speakers", '{"12": 安娜}', {12: "安娜"}),
    (f"{FIRST}.outputs", "[srt, json]", ("srt", "json")),
]


@pytest.mark.parametrize(("path", "written", "expected"), ACCEPTED)
def test_a_value_that_is_right_is_taken(config, path, written, expected):
    settings = config.set(path, written).load()

    if expected is not None:
        assert value_at(settings, path) == expected


A_UNIT = "ms, s, m, h or d"
REFUSED = [
    ("model_studio.endpoint", "dashscope.aliyuncs.com", "https://"),
    ("model_studio.endpoint", "ftp://dashscope.aliyuncs.com", "https://"),
    ("model_studio.endpoint", "https://", "no host"),
    ("model_studio.endpoint", "https:///path", "no host"),
    ("model_studio.endpoint", "https://a:99999", "port is impossible"),
    ("model_studio.endpoint", "https://a:0", "no host"),
    ("model_studio.endpoint", "https://[::1", "port is impossible"),
    ("model_studio.endpoint", "https://u:p@a.example", "user name or password"),
    ("model_studio.endpoint", "https://a.example?x=1", "query"),
    ("model_studio.endpoint", '"https://a.example#x"', "fragment"),
    ("model_studio.endpoint", "https://a b", "space"),
    ("model_studio.endpoint", "https://bücher.example", "ASCII"),
    ("model_studio.endpoint", '"https://a\\nb"', "line break"),
    ("model_studio.endpoint", "https://dashscope.aliyuncs.com/api/v1", "added by itself"),
    ("model_studio.endpoint", "http://dashscope.aliyuncs.com", "insecure: true"),
    ("model_studio.endpoint", "http://127.0.0.1.example.com", "insecure: true"),
    ("model_studio.endpoint", "http://10.0.0.1", "insecure: true"),
    ("model_studio.endpoint", "7", "https://"),
    ("model_studio.endpoint", "null", "https://dashscope.aliyuncs.com"),
    ("model_studio.api_key", "true", "in quotes"),
    ("model_studio.api_key", '"two words"', "without spaces"),
    ("model_studio.api_key", '"broken\\nkey"', "line break"),
    ("model_studio.api_key", "[sk-123456]", "list"),
    ("model_studio.max_urls_per_task", "0", "from 1 to 100"),
    ("model_studio.max_urls_per_task", "101", "from 1 to 100"),
    ("model_studio.max_urls_per_task", "1e3", "whole number"),
    ("model_studio.max_urls_per_task", "4.0", "whole number"),
    ("model_studio.max_urls_per_task", "true", "whole number"),
    ("model_studio.max_urls_per_task", '"8"', "in quotes"),
    ("model_studio.max_urls_per_task", "9" * 5000, "whole number"),
    ("model_studio.submit_rate", "0", "above 0 and at most 10"),
    ("model_studio.submit_rate", "10.1", "above 0 and at most 10"),
    ("model_studio.submit_rate", ".nan", "not a number"),
    ("model_studio.submit_rate", ".inf", "not a number"),
    ("model_studio.submit_rate", "1e999", "not a number"),
    ("model_studio.submit_rate", "fast", "not a number"),
    ("model_studio.query_rate", "21", "at most 20"),
    ("model_studio.lost_submit_grace", "0s", "above 0"),
    ("model_studio.insecure", "yes", "true or false"),
    ("model_studio.insecure", '"true"', "without quotes"),
    ("storage.provider", "temporary", "until a later release"),
    ("storage.provider", "os", "did you mean `oss`?"),
    ("storage.bucket", "My_Bucket", "lower-case"),
    ("storage.bucket", "ab", "3 to 63"),
    ("storage.bucket", "{}", "mapping"),
    ("storage.region", "oss-cn-beijing", "without oss-"),
    ("storage.region", "beijing", "cn-beijing"),
    ("storage.endpoint", "https://oss-cn-beijing.aliyuncs.com/bucket", "path"),
    ("storage.public_endpoint", "http://media.example.com", "insecure: true"),
    ("storage.public_endpoint", "https://oss-cn-beijing-internal.aliyuncs.com", "internal"),
    ("storage.cname", "1", "true or false"),
    ("storage.prefix", "/a/", "slash first"),
    ("storage.prefix", "a/../b/", "`..`"),
    ("storage.prefix", "a//b/", "such as dropscribe/"),
    ("storage.prefix", "录音/", "such as dropscribe/"),
    ("storage.prefix", '""', "such as dropscribe/"),
    ("storage.url_lifetime", "0", "above 0 and at most 7d"),
    ("storage.url_lifetime", "8d", "at most 7d"),
    ("storage.uploads", "0", "from 1 to 64"),
    ("storage.uploads", "65", "from 1 to 64"),
    ("storage.multipart_above", "99KB", "from 100KB to 5GB"),
    ("storage.multipart_above", "5.1GB", "from 100KB to 5GB"),
    ("storage.multipart_above", "100", "no unit"),
    ("storage.multipart_above", "100 parsecs", "KB, MB or GB"),
    ("storage.multipart_above", "100XB", "KB, MB or GB"),
    ("batch.max_wait", "10", "no unit"),
    ("batch.max_wait", "-1s", A_UNIT),
    ("batch.max_wait", "1h30m", A_UNIT),
    ("batch.max_wait", "10S", A_UNIT),
    ("batch.max_wait", "10 seconds", A_UNIT),
    ("batch.max_wait", "١٠s", A_UNIT),
    ("batch.max_wait", "1:30", A_UNIT),
    ("batch.max_wait", "2026-01-01", A_UNIT),
    ("batch.max_wait", "true", A_UNIT),
    ("batch.max_wait", "null", "is empty"),
    ("batch.max_wait", "[10s]", "is a list"),
    ("batch.max_wait", "9" * 400 + "d", A_UNIT),
    ("batch.max_wait", "2d", "out of range"),
    ("retry.attempts", "0", "from 1"),
    ("keep_results", "0d", "above 0"),
    ("state", "true", "boolean"),
    ("state", '""', "empty"),
    ("state", "~/state", "${HOME}"),
    ("state", '"a\\0b"', "control character"),
    ("state", '"a\\uD800b"', "broken text"),
    ("state", "[a]", "list"),
    (f"{FIRST}.name", '"two words"', "letters, digits"),
    (f"{FIRST}.name", "a.b", "letters, digits"),
    (f"{FIRST}.name", "true", "in quotes"),
    (f"{FIRST}.inbox", "null", "is empty"),
    (f"{FIRST}.done", "false", "boolean"),
    (f"{FIRST}.done", "null", "is empty"),
    (f"{FIRST}.done", "kep", "did you mean `keep`?); a folder of that name is `./kep`"),
    (f"{FIRST}.done", "Delete", "did you mean `delete`?"),
    (f"{FIRST}.settle", "49ms", "from 50ms"),
    (f"{FIRST}.settle", "0", "from 50ms"),
    (f"{FIRST}.rescan", "99ms", "from 100ms"),
    (f"{FIRST}.watch", "event", "did you mean `events`?"),
    (f"{FIRST}.watch", "on", "auto, events or polling"),
    (f"{FIRST}.include", "[]", "empty list"),
    (f"{FIRST}.include", '"*.mp3"', "not a list"),
    (f"{FIRST}.exclude", "null", "is empty"),
    (f"{FIRST}.model", "paraformer-v2", "fun-asr-2025-11-07"),
    (f"{FIRST}.model", "fun-asr-2025-08-52", "did you mean `fun-asr-2025-08-25`?"),
    (f"{FIRST}.recognition", "null", "{}"),
    (f"{FIRST}.recognition", "[]", "{}"),
    (f"{FIRST}.recognition", "zh", "{}"),
    (f"{FIRST}.prepare", "flac", "as-is"),
    (f"{FIRST}.outputs", "[]", "empty list"),
    (f"{FIRST}.outputs", "json", "not a list"),
    (f"{FIRST}.outputs", "{json: true}", "mapping"),
]


@pytest.mark.parametrize(("path", "written", "right"), REFUSED)
def test_a_value_that_is_wrong_is_refused_once_with_its_line_and_what_would_be_right(config, path, written, right):
    problem = config.set(path, written).problem()

    assert problem.path == path
    assert problem.line == config.line_of(path.rpartition(".")[2])
    assert right in problem.message


@pytest.mark.parametrize(
    ("key", "written", "path", "right"),
    [
        ("include", '["*.mp3", ""]', "include[1]", "pattern"),
        ("exclude", "[true]", "exclude[0]", "boolean"),
        ("outputs", "[json, pdf]", "outputs[1]", "ass, json, md, raw"),
        ("outputs", "[json, srt, json]", "outputs[2]", "twice"),
        ("outputs", "[[json]]", "outputs[0]", "is a list"),
        ("subtitles", "{profile: film}", "subtitles.profile", "shorts"),
        ("subtitles", "{line: 7}", "subtitles.line", "from 8 to 100"),
        ("subtitles", "{lines: 2.5}", "subtitles.lines", "whole number"),
        ("subtitles", "{longest: 7}", "subtitles.longest", "has no unit"),
        ("subtitles", "{cps: 0}", "subtitles.cps", "above 0"),
        ("subtitles", "{width: 42}", "subtitles.width", "known here are"),
        ("subtitles", "wide", "subtitles", "no mapping"),
        ("subtitles", "{shortest: 4s, longest: 3s}", "subtitles.shortest", "at most `longest`"),
        ("speakers", "[Anna, Ben]", "speakers", "{0: Anna, 1: Ben}"),
        ("speakers", "{Anna: 0}", "speakers.Anna", "counts from 0"),
        ("speakers", "{0: null}", "speakers.0", "a name"),
        ("speakers", '{1: "a\\nb"}', "speakers.1", "line break"),
    ],
)
def test_an_item_of_a_list_that_is_wrong_is_named_by_its_index(config, key, written, path, right):
    problem = config.set(f"{FIRST}.{key}", written).problem()

    assert (problem.path, problem.line) == (f"{FIRST}.{path}", config.line_of(key))
    assert right in problem.message


@pytest.mark.parametrize("section", ["model_studio", "storage", "batch", "retry", "model_studio.poll"])
@pytest.mark.parametrize(("written", "right"), [("null", "leave it out"), ("7", "no mapping"), ("[]", "no mapping")])
def test_a_section_that_is_no_mapping_is_one_fault_and_its_keys_are_not_missing(config, section, written, right):
    if section == "storage":
        config.without("storage.bucket").without("storage.region")

    problem = config.set(section, written).problem()

    assert problem.path == section
    assert right in problem.message


@pytest.mark.parametrize(("written", "right"), [("{}", "not a list"), ("[]", "empty"), ("null", "empty"), ("a", "not")])
def test_inboxes_have_to_be_a_list_with_an_item(config, written, right):
    problem = config.without("inboxes[0].inbox").set("inboxes", written).problem()

    assert problem.path == "inboxes"
    assert right in problem.message
    assert "- inbox:" in problem.message


@pytest.mark.parametrize("key", ["storage.bucket", "storage.region", "inboxes[0].inbox"])
def test_what_is_required_and_missing_is_named_with_an_example(config, key):
    config.without(key)
    if key == "inboxes[0].inbox":
        config.set("inboxes[0].name", "talks")

    problem = config.problem()

    assert problem.path == key
    assert problem.line is not None
    assert f"{key.rpartition('.')[2]}: " in problem.message


def test_inboxes_that_are_missing_altogether_are_a_fault(config):
    problem = config.without("inboxes[0].inbox").problem()

    assert (problem.path, problem.line) == ("inboxes", 1)


def test_every_format_that_can_be_rendered_can_be_asked_for(config):
    outputs = config.set(f"{FIRST}.outputs", f"[{', '.join(FORMATS)}]").load().inboxes[0].outputs

    assert outputs == tuple(FORMATS)


def test_other_formats_can_be_asked_for_where_they_can_be_rendered(config):
    from dropscribe.config import load

    config.path.write_text(config.set(f"{FIRST}.outputs", "[json, vtt]").text())

    settings = load(config.path, config.environ, formats={"json", "srt", "vtt"}, filesystem_of=lambda _: "ext4")

    assert settings.inboxes[0].outputs == ("json", "vtt")


@pytest.mark.parametrize(
    ("inbox", "name"),
    [("a/inbox", "a"), ("a/talks", "talks"), ("/srv/会议", "会议"), ("in_box", "in_box")],
)
def test_an_inbox_is_named_after_its_folder_or_the_parent_of_one_called_inbox(config, inbox, name):
    settings = config.set(f"{FIRST}.inbox", inbox).load()

    assert settings.inboxes[0].name == name


def test_a_folder_whose_name_is_no_word_needs_a_name_of_its_own(config):
    problem = config.set(f"{FIRST}.inbox", "My Talks").problem()

    assert problem.path == f"{FIRST}.name"
    assert "`My Talks`" in problem.message


def test_relative_paths_follow_parents_as_the_kernel_would_through_symlinks(config):
    real = config.folder / "elsewhere" / "deep"
    real.mkdir(parents=True)
    (config.folder / "link").symlink_to(real)

    settings = config.set(f"{FIRST}.inbox", "link/../in").load()

    assert settings.inboxes[0].inbox == config.folder / "elsewhere" / "in"


def test_an_absolute_path_stays_as_it_is(config):
    settings = config.set("state", "/var/lib/dropscribe").load()

    assert settings.state == Path("/var/lib/dropscribe")
