"""What a token's text tells."""

import pytest

from dropscribe.render.kinds import CLAUSE, COMMA, NO_MARK, SENTENCE, Kind, Writing, kind_of

ENGLISH = Writing("latin", "en", False)
CHINESE = Writing("han", "zh", True)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("done. ", SENTENCE),
        ('done."', SENTENCE),
        ("what?! ", SENTENCE),
        ("Dr. ", NO_MARK),
        ("U.S. ", NO_MARK),
        ("3.5 ", NO_MARK),
        ("so; ", CLAUSE),
        ("so, ", COMMA),
        ("so ", NO_MARK),
    ],
)
def test_a_mark_is_the_last_one_and_abbreviations_have_none(text: str, mark: float) -> None:
    assert kind_of(text, ENGLISH).mark == mark


@pytest.mark.parametrize(("text", "mark"), [("好。”", SENTENCE), ("好，", COMMA), ("好；", CLAUSE), ("好", NO_MARK)])
def test_marks_of_chinese_are_known(text: str, mark: float) -> None:
    assert kind_of(text, CHINESE).mark == mark


def true_of(text: str, writing: Writing) -> set[str]:
    kind: Kind = kind_of(text, writing)
    return {name for name in ("holds", "leads", "follows", "number", "capital", "glued") if getattr(kind, name)}


@pytest.mark.parametrize(
    ("text", "writing", "facts"),
    [
        ("the ", ENGLISH, {"holds"}),
        ("Because ", ENGLISH, {"holds", "leads"}),
        ("Zuckerberg ", ENGLISH, {"capital"}),
        ("1,280 ", ENGLISH, {"number"}),
        ("don’t ", ENGLISH, {"holds"}),
        ("house ", ENGLISH, set()),
        ("了", CHINESE, {"follows", "glued"}),
        ("把", CHINESE, {"holds", "leads", "glued"}),
        ("了，", CHINESE, {"follows"}),
        ("的 ", Writing("latin", "fr", False), set()),
    ],
)
def test_function_words_numbers_and_names_are_told(text: str, writing: Writing, facts: set[str]) -> None:
    assert true_of(text, writing) == facts


def test_widths_and_reading_characters_go_by_the_script() -> None:
    assert kind_of("“好” ", CHINESE)[:3] == (6, 1, 3.5)
    assert kind_of("“ok” ", ENGLISH)[:3] == (4, 1, 5)
    assert kind_of("好　", CHINESE)[:3] == (2, 2, 2.0)
