"""What a terminal is given: nothing that steers it, and nothing lost."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.printable import in_json, visible, visible_lines

ODD = [
    ("a\x1b[2Jb", "a\\x1b[2Jb"),
    ("\x9b31m", "\\x9b31m"),
    ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    ("a\rb\nc\td", "a\\rb\\nc\\td"),
    ("gnp\u202e3pm.exe", "gnp\\u202e3pm.exe"),
    ("\u2066\u061c\u200f", "\\u2066\\u061c\\u200f"),
    ("\udcff\udcfe", "\\xff\\xfe"),
    ("会议 🎤 \u200d é", "会议 🎤 \u200d é"),
]


@pytest.mark.parametrize(("text", "shown"), ODD)
def test_what_steers_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_one_line_that_is_safe_and_stays_so(text: str) -> None:
    shown = visible(text)

    assert not set(shown) & set(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F)]))
    assert visible(shown) == shown
    assert visible_lines(text).count("\n") == text.count("\n")


@settings(deadline=None)
@given(
    st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_json_document_means_the_same_and_steers_nothing(value: object) -> None:
    document = json.dumps(value, ensure_ascii=False, indent=2)

    shown = in_json(document)

    assert json.loads(shown) == json.loads(document)
    assert shown == "\n".join(map(visible, shown.split("\n")))
