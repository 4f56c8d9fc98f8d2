"""Names: what people see, what outputs are called, what is picked and what is passed over."""

import os
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dropscribe.model import MEDIA_SUFFIXES
from dropscribe.names import (
    PRIVATE_PREFIX,
    called,
    display,
    error_name,
    included,
    is_private,
    not_media_reason,
    numbered,
    output_names,
    partial_name,
    placing_order,
    suffix_of,
)

BOTH = (("srt", "srt"), ("json", "json"))
DEFAULT_EXCLUDE = (".*", "*.part", "*.tmp", "*.crdownload", "~*")

BYTE_NAMES = st.binary(min_size=1, max_size=251).map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_"))
TEXT_NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=251).map(
    lambda text: text.encode()[:251].decode(errors="ignore").encode() or b"x"
)
STEMS = st.one_of(BYTE_NAMES, TEXT_NAMES, st.integers(235, 251).map(lambda n: b"a" * n), st.just("讲".encode() * 83))
NAMES = st.tuples(STEMS, st.sampled_from([b".mp3", b".wav", b".OGG"])).map(b"".join)
FOLDERS = st.sampled_from([b"", b"a/", b"a/b/", "讲 座/".encode(), b"\xff/"])
SOURCES = st.tuples(FOLDERS, NAMES).map(b"".join)


def last(path: bytes) -> bytes:
    return os.path.basename(path)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"a/talk.mp3", "a/talk.mp3"),
        ("讲座 – naïve.mp3".encode(), "讲座 – naïve.mp3"),
        (b"caf\xe9.mp3", "caf\\xe9.mp3"),
        (b"a\nb\x1b[31m.mp3", "a\\x0ab\\x1b[31m.mp3"),
        ("a\u2028b\u0085c\u3000d".encode(), "a\\xe2\\x80\\xa8b\\xc2\\x85c\u3000d"),
    ],
)
def test_a_name_is_shown_as_text_and_what_is_none_is_escaped(path: bytes, shown: str) -> None:
    assert display(path) == shown


@settings(deadline=None)
@given(st.binary(max_size=30))
def test_what_is_shown_can_always_be_written_in_one_line_of_a_log(path: bytes) -> None:
    shown = display(path)

    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        (b"talk.MP3", "mp3"),
        (b"a.b/talk", ""),
        (b".mp3", ""),
        (b"talk.", ""),
        ("talk.音".encode(), ""),
        (b"t.tar.gz", "gz"),
    ],
)
def test_a_suffix_is_lower_case_ascii_or_none(name: bytes, suffix: str) -> None:
    assert suffix_of(name) == suffix


def test_json_is_placed_last() -> None:
    assert placing_order(["json", "srt", "vtt"]) == ("srt", "vtt", "json")
    assert placing_order(["srt"]) == ("srt",)


def test_outputs_are_called_as_the_contract_says() -> None:
    source = b"a/b/talk.mp3"

    assert output_names(source, BOTH, 0, b"salt") == (b"a/b/talk.srt", b"a/b/talk.json")
    assert output_names(source, BOTH, 1, b"salt") == (b"a/b/talk.mp3.srt", b"a/b/talk.mp3.json")
    srt, json = output_names(source, BOTH, 2, b"salt")
    assert re.fullmatch(rb"a/b/talk\.mp3~[0-9a-f]{8}\.json", json)
    assert srt == json.removesuffix(b"json") + b"srt"


def test_the_digits_are_the_same_every_time_and_others_for_another_salt() -> None:
    assert output_names(b"t.mp3", BOTH, 2, b"one") == output_names(b"t.mp3", BOTH, 2, b"one")
    assert output_names(b"t.mp3", BOTH, 2, b"one") != output_names(b"t.mp3", BOTH, 2, b"two")


def test_a_name_that_just_fits_is_not_shortened() -> None:
    source = b"x" * 250 + b".mp3"

    assert output_names(source, (("json", "json"),), 0, b"") == (b"x" * 250 + b".json",)


def test_a_set_too_long_for_one_of_its_suffixes_is_shortened_as_a_whole() -> None:
    source = b"x" * 251 + b".mp3"

    srt, json = output_names(source, BOTH, 0, b"")

    assert len(json) == 255
    assert re.fullmatch(rb"x{241}~[0-9a-f]{8}\.json", json)
    assert srt == json.removesuffix(b"json") + b"srt"


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, two = (output_names(b"x" * 250 + tail + b".mp3", BOTH, 0, b"") for tail in (b"a", b"b"))

    assert not set(one) & set(two)


def test_a_name_is_cut_between_characters() -> None:
    shortened = error_name("讲".encode() * 83 + b".mp3")

    assert shortened.decode().startswith("讲讲")
    assert re.fullmatch(r"讲+~[0-9a-f]{8}\.error\.json", shortened.decode())


@settings(deadline=None)
@given(SOURCES, st.binary(max_size=8))
def test_output_names_fit_stay_in_their_folder_and_differ_between_attempts(source: bytes, salt: bytes) -> None:
    assume(suffix_of(source))

    attempts = [output_names(source, BOTH, attempt, salt) for attempt in range(5)]

    names = [name for attempt in attempts for name in attempt]
    assert len(set(names)) == len(names)
    for name in names:
        assert os.path.dirname(name) == os.path.dirname(source)
        assert 0 < len(last(name)) <= 255
        assert last(name) not in (b".", b"..")


@settings(deadline=None)
@given(SOURCES)
def test_numbered_and_error_names_fit_stay_in_their_folder_and_differ(source: bytes) -> None:
    assume(len(last(source)) <= 255)

    names = [made for n in range(1, 12) for made in (numbered(source, n), error_name(numbered(source, n)))]

    assert len(set(names)) == len(names)
    for name in names:
        assert os.path.dirname(name) == os.path.dirname(source)
        assert len(last(name)) <= 255


@settings(deadline=None)
@given(TEXT_NAMES)
def test_a_name_in_utf8_stays_in_utf8_when_it_is_shortened(name: bytes) -> None:
    for made in (*output_names(name + b".mp3", BOTH, 2, b""), numbered(name, 2), error_name(name)):
        assert made.decode()


@pytest.mark.parametrize(
    ("name", "n", "made"),
    [
        (b"a/talk.mp3", 1, b"a/talk.mp3"),
        (b"a/talk.mp3", 2, b"a/talk~2.mp3"),
        (b"talk.mp3", 13, b"talk~13.mp3"),
        (b"talk", 2, b"talk~2"),
        (b"a.b/talk", 3, b"a.b/talk~3"),
    ],
)
def test_a_taken_name_is_numbered_before_its_suffix(name: bytes, n: int, made: bytes) -> None:
    assert numbered(name, n) == made


def test_an_error_file_stands_beside_its_source() -> None:
    assert error_name(b"a/b/talk.mp3") == b"a/b/talk.mp3.error.json"


@settings(deadline=None)
@given(st.text())
def test_temporary_names_are_ours_short_and_excluded_whatever_the_tag(tag: str) -> None:
    name = partial_name(tag)

    assert name == partial_name(tag)
    assert re.fullmatch(rb"\.dropscribe-[A-Za-z0-9_-]+\.tmp", name)
    assert len(name) <= 255
    assert is_private(name)
    assert not included(name, ["*"], ["*.tmp"]).included
    assert not included(name, ["*"], [".*"]).included


def test_only_names_with_our_prefix_are_private() -> None:
    assert is_private(b"a/" + PRIVATE_PREFIX + b"x.tmp")
    assert not is_private(b"a/.dropscribe/talk.mp3")
    assert not is_private(b"my.dropscribe-talk.mp3")


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (b".hidden.mp3", ".*"),
        (b".git/talk.mp3", ".*"),
        (b"a/.cache/b/talk.mp3", ".*"),
        (b"a/talk.mp3.part", "*.part"),
        (b"~talk.mp3", "~*"),
    ],
)
def test_an_exclude_pattern_without_a_slash_matches_any_part(path: bytes, pattern: str) -> None:
    verdict = included(path, ["*"], DEFAULT_EXCLUDE)

    assert not verdict.included
    assert verdict.reason == f"It is excluded by the pattern {pattern!r}."


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        (b"drafts/talk.mp3", "drafts/*", True),
        (b"drafts/a/talk.mp3", "drafts/*", True),
        (b"a/drafts/talk.mp3", "drafts/*", False),
        (b"drafts/talk.mp3", "/drafts", True),
        (b"a/drafts/talk.mp3", "/drafts", False),
        (b"drafts/a/talk.mp3", "drafts/a", True),
        (b"drafts/a/talk.mp3", "drafts/", True),
        (b"drafts", "drafts/", False),
        (b"a/drafts/talk.mp3", "*/drafts/*", True),
        (b"DRAFTS/talk.mp3", "drafts/*", False),
        (b"a\nb/caf\xe9.mp3", "a*/*.mp3", True),
    ],
)
def test_a_pattern_with_a_slash_matches_the_path_within_the_inbox(path: bytes, pattern: str, matches: bool) -> None:
    assert included(path, ["*"], [pattern]).included is not matches
    assert included(path, [pattern], []).included is matches


def test_an_include_pattern_without_a_slash_matches_the_own_name_of_the_file() -> None:
    assert included(b"a/talk.mp3", ["*.mp3"], []).included
    assert not included(b"talk.mp3/other.wav", ["*.mp3"], []).included


def test_what_no_include_pattern_takes_is_told_which_there_are() -> None:
    verdict = included(b"talk.wav", ["*.mp3", "*.ogg"], [])

    assert verdict.reason == "No pattern of `include` takes it ('*.mp3', '*.ogg')."


@settings(deadline=None)
@given(SOURCES)
def test_a_star_includes_every_name_there_is(source: bytes) -> None:
    assert included(source, ["*"], []).included


@pytest.mark.parametrize("suffix", sorted(MEDIA_SUFFIXES))
def test_every_supported_type_is_media_in_any_case(suffix: str) -> None:
    assert not_media_reason(b"a/talk." + suffix.encode()) is None
    assert not_media_reason(b"TALK." + suffix.upper().encode()) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [(b"notes.txt", "The type .txt is not among"), (b"README", "A name without a suffix is not among")],
)
def test_what_is_no_media_is_told_why(name: bytes, reason: str) -> None:
    assert str(not_media_reason(name)).startswith(reason)


def test_files_that_share_a_fate_are_one_line_of_the_log() -> None:
    assert called([]) == {}
    assert called([("talks", b"a/\xff.mp3")]) == {"inbox": "talks", "path": "a/\\xff.mp3"}
    shared = called([("talks", b"a.mp3"), ("calls", b"b.mp3")])
    assert shared == {"inbox": "talks", "path": "a.mp3", "also": ["calls: b.mp3"]}
