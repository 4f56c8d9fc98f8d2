"""Limits: by profile, by script, and every one of them settable alone."""

import pytest

from dropscribe.render.profiles import PROFILES, Limits, Subtitles, limits_for


def test_the_limits_of_the_default_profile_are_those_of_professional_guides() -> None:
    lines = {
        script: limits_for(Subtitles(), script).line for script in ("latin", "han", "kana", "hangul", "thai", "rtl")
    }

    assert lines == {"latin": 42, "han": 32, "kana": 26, "hangul": 32, "thai": 35, "rtl": 42}
    assert limits_for(Subtitles(), "latin") == Limits(42, 2, 7000, 833, 83, 20)


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("line", 30, "line", 30),
        ("lines", 1, "lines", 1),
        ("longest", 5.5, "longest_ms", 5500),
        ("shortest", 1.2, "shortest_ms", 1200),
        ("gap", 0.0, "gap_ms", 0),
        ("cps", 15.0, "cps", 15.0),
    ],
)
def test_a_limit_that_is_set_holds_for_every_script_and_leaves_the_others(key, value, field, expected) -> None:
    for profile in PROFILES:
        for script in ("latin", "han"):
            usual, found = (
                limits_for(Subtitles(profile), script),
                limits_for(Subtitles(profile, **{key: value}), script),
            )
            changed = {name for name in Limits.__slots__ if getattr(usual, name) != getattr(found, name)}
            assert getattr(found, field) == expected
            assert changed <= {field}


@pytest.mark.parametrize(
    ("subtitles", "shortest", "longest"),
    [
        (Subtitles(longest=1.0), 500, 1000),
        (Subtitles(shortest=5.0), 5000, 10_000),
        (Subtitles(shortest=2.0, longest=2.0), 2000, 2000),
    ],
)
def test_of_two_limits_that_do_not_go_together_the_one_that_nobody_set_gives_way(subtitles, shortest, longest) -> None:
    limits = limits_for(subtitles, "latin")

    assert (limits.shortest_ms, limits.longest_ms) == (shortest, longest)


def test_shorts_are_narrow_and_quick_and_single_line_is_one_line() -> None:
    assert limits_for(Subtitles("shorts"), "han") == Limits(24, 2, 5000, 700, 0, 11 * 1.25)
    assert limits_for(Subtitles("single-line"), "latin").lines == 1


def test_a_podcast_has_long_lines_in_vtt_and_two_short_ones_in_srt() -> None:
    podcast = Subtitles("podcast")

    assert [
        (limits_for(podcast, "latin", name).line, limits_for(podcast, "latin", name).lines) for name in ("vtt", "srt")
    ] == [
        (65, 1),
        (32, 2),
    ]


def test_a_profile_never_makes_the_lines_of_a_script_longer() -> None:
    assert limits_for(Subtitles("broadcast"), "kana").line == 26
