"""Widths, pieces and what people take for characters, in the scripts of the world."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.render.characters import atoms, begins_left_to_right, cells, clusters, leading_closers


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
        ("👍🏽", 2),
        ("", 0),
    ],
)
def test_a_full_width_character_takes_two_cells_and_a_combining_one_none(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(("among_wide", "width"), [(True, 4), (False, 2)])
def test_an_ambiguous_character_is_as_wide_as_those_around_it(among_wide: bool, width: int) -> None:
    assert cells("“”", among_wide) == width


@pytest.mark.parametrize(
    "line",
    [
        "Hello |world, |this.",
        "做|ASR|已|经|了",
        "GPT-4o |1,280|元",
        "3.5%|的|5/6|和|A/B",
        "“好|的”，|他|说",
        'say |"well |done"',
        '他|说|"好"',
        "« Bonjour » |dit-il ! |Vraiment ?",
        "wait - |no !",
        "50 % |plus",
        "한국어 |자막",
        "看|@abc |#tag",
        "http://a.b/c?d=e |好",
        "e\u0301te\u0301 |x",
        "まっ|て、|ね",
        "ス|キー",
        "เกาะ",
        "မြန်|မာ",
        "  led |by",
        "",
        "  ",
    ],
)
def test_a_piece_is_a_word_or_a_character_with_the_marks_and_spaces_that_belong_to_it(line: str) -> None:
    text = line.replace("|", "")

    assert "|".join(text[begin:end] for begin, end in atoms(text)) == line


@given(st.text(max_size=40))
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(text[begin:end] for begin, end in atoms(text)) == text


@pytest.mark.parametrize(
    ("text", "closers"), [("”如果", "”"), ("」 え", "」 "), ("好”", ""), (", so", ", "), ("“a", "")]
)
def test_closing_marks_at_the_head_of_a_sentence_belong_to_the_one_before(text: str, closers: str) -> None:
    assert text[: leading_closers(text)] == closers


@pytest.mark.parametrize(
    "text",
    ["👨\u200d👩\u200d👧|x", "e\u0301|a", "🇨🇳|🇺🇸", "👍🏽|!", "กำ|ก่|ก", "각|ᄀ\u1161", "🏴\U000e0067\U000e007f|a"],
)
def test_what_people_take_for_one_character_stays_together(text: str) -> None:
    assert "|".join(clusters(text.replace("|", ""))) in (text, text.replace("กำ", "ก|ำ"))


@pytest.mark.parametrize(("text", "ltr"), [("NATO قال", True), ("قال NATO", False), ("12 قال", False), ("...", False)])
def test_the_first_strong_character_says_how_a_player_lays_a_line_out(text: str, ltr: bool) -> None:
    assert begins_left_to_right(text) is ltr
