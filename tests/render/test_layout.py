"""Widths and line ends in the scripts of the world."""

import pytest

from dropscribe.render.layout import border_cost, borders, cells


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("字幕", 4),
        ("e\u0301", 1),
        ("กำ", 2),
        ("한국", 4),
        ("“a”", 3),
        ("“字”", 6),
        ("a\u200db", 2),
        ("", 0),
    ],
)
def test_a_full_width_character_takes_two_cells_and_a_combining_one_none(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    "line",
    [
        "Hello |world, |this.",
        "做|ASR|已|经|了",
        "GPT-4o |1,280|元",
        "“好|的”，|他|说",
        "say |“well |done”",
        'say |"well |done"',
        "wait |- |no !",
        "한국어 |자막",
        "看|@abc |#tag",
        "e\u0301te\u0301 |x",
        "เกาะ",
        "",
    ],
)
def test_a_line_ends_after_spaces_and_between_unspaced_characters_only(line: str) -> None:
    text = line.replace("|", "")

    parts = [text[begin:end] for begin, end in zip([0, *borders(text)], [*borders(text), len(text)], strict=True)]

    assert "|".join(parts) == line


def test_the_end_of_a_sentence_is_the_best_border_and_a_comma_the_next() -> None:
    assert border_cost("好。”") < border_cost("yes, ") < border_cost("yes ")
