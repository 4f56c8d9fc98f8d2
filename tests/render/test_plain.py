"""Text for files of lines."""

import pytest

from dropscribe.render.plain import letters, plain


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", "a b"),
        ("\x1b[0m x\x00", "[0m x"),
        (" a\u2028b\x85 ", "a b"),
        ("\u202ea", "\u202ea"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_control_characters_and_line_ends_become_spaces_and_nothing_else_changes(text: str, line: str) -> None:
    assert plain(text) == line


def test_the_letters_of_a_text_are_all_but_spaces_and_what_dropscribe_puts_in() -> None:
    assert letters("a \u2060b\n\u200fc\x00") == "abc"
