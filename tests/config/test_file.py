"""The file itself: found or not, readable or not, YAML or not; and that nothing else than `Misconfigured` comes out."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.config import find, load
from dropscribe.config.schema import MODEL_STUDIO, STORAGE, TOP, inbox_keys
from dropscribe.errors import Misconfigured

INBOX = "storage: {bucket: my-bucket, region: cn-beijing}\ninboxes: [{inbox: talks}]\n"


def test_the_file_named_on_the_command_line_comes_first(tmp_path):
    assert find(tmp_path / "a.yaml", {"DROPSCRIBE_CONFIG": "/b.yaml"}) == tmp_path / "a.yaml"


def test_the_environment_names_the_file_where_the_command_line_does_not(tmp_path):
    assert find(None, {"DROPSCRIBE_CONFIG": "/b.yaml"}) == Path("/b.yaml")


def test_of_the_standard_places_the_first_that_exists_is_taken(tmp_path):
    first, second, third = (tmp_path / name for name in "abc")
    second.touch()
    third.touch()

    assert find(None, {"DROPSCRIBE_CONFIG": ""}, (first, second, third)) == second


def test_the_standard_places_are_the_working_folder_and_then_etc(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").touch()

    assert find(None, {}).resolve() == (tmp_path / "config.yaml").resolve()


def test_no_file_anywhere_says_where_was_looked_and_how_to_name_one(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        find(None, {}, (tmp_path / "a", tmp_path / "b"))

    assert str(tmp_path / "b") in str(caught.value)
    assert "--config" in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        load(tmp_path / "absent.yaml", {})

    (problem,) = caught.value.problems
    assert problem.path == str(tmp_path / "absent.yaml")
    assert "No such file" in problem.message


def test_a_folder_in_place_of_the_file_is_a_fault(tmp_path):
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(tmp_path, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_fault(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(INBOX)
    path.chmod(0)

    with pytest.raises(Misconfigured, match="Permission denied"):
        load(path, {})


BOMB = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}]\n" for p, c in pairwise("abcdefghij"))

UNREADABLE = [
    ("", 1, "is empty"),
    ("# only a comment\n", 1, "is empty"),
    ("---\n", 1, "is empty"),
    ("null\n", 1, "is empty"),
    ("- a\n- b\n", 1, "not a mapping"),
    ("just words\n", 1, "not a mapping"),
    ("a: 1\nb: [1\n", 3, "not YAML"),
    ("a: 1\n\tb: 2\n", 2, "not YAML"),
    ("a: 1\nb: }\n", 2, "not YAML"),
    ("a: 1\nb: 'x\n", 3, "not YAML"),
    ('a: "\\UFFFFFFFF"\n', 1, "not YAML"),
    ("%YAML 2.0\n---\na: 1\n", 1, "not YAML"),
    ("a: 1\n---\nb: 2\n", 2, "second document"),
    ("a: 1\nb: \x01\n", 2, "control character"),
    (b"a: 1\nb: \xff\n", 2, "UTF-8"),
    ("a: 1\nb: !!python/object:os.system x\n", 2, "tag"),
    ("a: !!str 5\n", 1, "tag"),
    ("a: ! 5\n", 1, "tag"),
    ("!!map {a: 1}\n", 1, "tag"),
    ("a: 1\n? [b]\n: 2\n", 2, "one word"),
    ("a: &x b\n*x : 2\n", 2, "one word"),
    ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
    ("a: *nowhere\n", 1, "no anchor"),
    ("a: &loop [*loop]\n", 1, "no anchor"),
    ("a: &x 1\nb: [" + "*x, " * 51 + "]\n", 2, "more than 50 aliases"),
    (BOMB, 9, "more than 200000 values"),
    ("a: " + "[" * 500 + "]" * 500 + "\n", 1, "deeper than 20"),
    ("a: " + "[" * 100_000 + "\n", 1, "deeper than 20"),
    ("# " + "x" * 1_000_000 + "\n" + INBOX, None, "larger than 1000000 bytes"),
]


@pytest.mark.parametrize(("text", "line", "right"), UNREADABLE)
def test_what_cannot_be_understood_is_one_fault_of_the_file_with_its_line(config, text, line, right):
    (problem,) = config.problems_of(text)

    assert (problem.path, problem.line) == (str(config.path), line)
    assert right in problem.message


def test_what_cannot_be_understood_is_not_repeated_in_the_message(config):
    (problem,) = config.problems_of("model_studio:\n  api_key: sk-very-secret\n   x: y: z\n")

    assert "sk-very-secret" not in str(problem)


def test_a_few_aliases_are_understood_and_named_at_the_line_where_they_are_used(config):
    text = "batch: {max_wait: &wait 20s}\nretry:\n  first_wait: *wait\n" + INBOX
    assert config.load_text(text).retry.first_wait == 20.0

    problems = config.problems_of(text.replace("20s", "20"))

    assert [(problem.path, problem.line) for problem in problems] == [("batch.max_wait", 1), ("retry.first_wait", 3)]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(config):
    assert config.load_text(b"\xef\xbb\xbf" + INBOX.replace("\n", "\r\n").encode()).storage.bucket == "my-bucket"


def test_a_key_that_stands_twice_is_a_fault_that_names_both_lines(config):
    (problem,) = config.problems_of(INBOX + "batch:\n  max_wait: 1s\n  max_wait: 2s\n")

    assert (problem.path, problem.line) == ("batch.max_wait", 5)
    assert "line 4" in problem.message


@pytest.mark.parametrize(
    ("text", "path", "right"),
    [
        ("stat: x\n", "stat", "`state`"),
        ("keep-results: 1d\n", "keep-results", "`keep_results`"),
        ("Batch: {}\n", "Batch", "`batch`"),
        ("batch: {max_waits: 1s}\n", "batch.max_waits", "`max_wait`"),
        ("model_studio: {poll: {fist: 1s}}\n", "model_studio.poll.fist", "`first`"),
        ("zzz: 1\n", "zzz", "known here are batch,"),
        ("1: 2\n", "1", "known here"),
        ("true: 2\n", "true", "known here"),
        ('"": 2\n', '""', "known here"),
        ('"a\\e[31m.b": 2\n', '"a\\x1b[31m.b"', "known here"),
    ],
)
def test_an_unknown_key_is_a_fault_that_suggests_the_nearest_known_one(config, text, path, right):
    (problem,) = config.problems_of(INBOX + text)

    assert (problem.path, problem.line) == (path, 3)
    assert right in problem.message


def test_all_faults_are_said_at_once_whatever_their_kind_and_in_the_order_of_their_lines(config):
    problems = config.problems_of(
        """\
stat: x
model_studio:
  submit_rate: fast
  poll: {first: 40s, longest: 30s}
storage:
  region: cn-beijing
  session_token: ${NOT_SET}
  endpoint: http://oss.example.com
retry: 5
inboxes:
  - inbox: a
    settle: 5
    settle: 6s
    outputs: [json, pdf, json]
    recognition: {speaker_count: 1, channel_id: [0, 0, x]}
  - inbox: a/b
    watches: auto
  - 7
"""
    )

    assert [(problem.path, problem.line) for problem in problems] == [
        ("stat", 1),
        ("model_studio.submit_rate", 3),
        ("model_studio.poll.first", 4),
        ("storage.bucket", 5),
        ("storage.session_token", 7),
        ("storage.endpoint", 8),
        ("retry", 9),
        ("inboxes[0].settle", 12),
        ("inboxes[0].settle", 13),
        ("inboxes[0].outputs[1]", 14),
        ("inboxes[0].outputs[2]", 14),
        ("inboxes[0].recognition.speaker_count", 15),
        ("inboxes[0].recognition.channel_id[2]", 15),
        ("inboxes[0].recognition.channel_id[1]", 15),
        ("inboxes[1].inbox", 16),
        ("inboxes[1].watches", 17),
        ("inboxes[2]", 18),
    ]


def test_a_fault_reads_as_path_line_and_sentence(config):
    problem = config.set("batch.max_wait", "5").problem()

    assert str(problem).startswith(f"batch.max_wait (line {config.line_of('max_wait')}): `5` has no unit")


def names(entries):
    for entry in entries:
        yield entry.name
        yield from names(getattr(entry, "keys", ()))


KEYS = sorted({*names((*TOP, *inbox_keys({"json"}), MODEL_STUDIO, STORAGE)), "inboxes", "speaker_count", "channel_id"})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["0", "5s", "1GB", "keep", "json", "http://[", "https://a@b?c", "${X}", "${credential:../x}"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner),
    max_leaves=25,
)
FRAGMENTS = ["\n", " ", "  ", ": ", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "!!", '"', "'", "|", ">", "%", "#", "?"]
TEXTS = st.lists(st.sampled_from([*FRAGMENTS, *KEYS, "5s", "\\", "${", "\x00", "\ufeff", "\ud800"])).map("".join)


def is_settings_or_misconfigured(folder: Path, content: bytes) -> bool:
    path = folder / "config.yaml"
    path.write_bytes(content)
    try:
        load(path, {"X": "\udcff5"}, filesystem_of=lambda _: "ext4")
    except Misconfigured as error:
        assert error.problems
        assert all("\n" not in str(problem) for problem in error.problems)
        str(error).encode()
    return True


@settings(max_examples=150, deadline=None)
@given(value=st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_any_values_at_all_give_settings_or_faults_in_sentences_of_one_line(tmp_path_factory, value):
    assert is_settings_or_misconfigured(tmp_path_factory.getbasetemp(), json.dumps(value).encode())


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_any_text_at_all_gives_settings_or_faults(tmp_path_factory, text):
    assert is_settings_or_misconfigured(tmp_path_factory.getbasetemp(), text.encode("utf-8", "surrogatepass"))


@settings(max_examples=50, deadline=None)
@given(content=st.binary())
def test_any_bytes_at_all_give_settings_or_faults(tmp_path_factory, content):
    assert is_settings_or_misconfigured(tmp_path_factory.getbasetemp(), content)
