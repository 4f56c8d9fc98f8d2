"""What a border tears apart in scripts without spaces."""

import pytest

from dropscribe.model import Word
from dropscribe.render.kinds import kinds
from dropscribe.render.penalties import FORBIDDEN, tears
from dropscribe.render.speech import Run, runs
from dropscribe.render.unspaced import Unspaced
from render.documents import said, transcript


def spoken(pieces: str) -> Run:
    """A run of words as a recogniser gives them, 200 ms each."""
    words = [Word(200 * at, 200 * at + 200, piece, "") for at, piece in enumerate(pieces.split())]
    ((run,),) = runs(transcript(said("".join(pieces.split()), 0, words[-1].end_ms, *words))).values()
    return run


def penalties(pieces: str, guess: bool = True) -> dict[str, float]:
    """By the text before each border."""
    run = spoken(pieces)
    of, borders, text, found = kinds(run), Unspaced(run, guess), "", {}
    for at in range(1, len(run.tokens)):
        text += run.tokens[at - 1].text
        found[text] = borders.penalty(of[at - 1], of[at], at)
    return found


def test_a_chinese_word_given_character_by_character_is_dearer_to_tear_than_the_border_beside_it() -> None:
    found = penalties("我 们 已 经 知 道 这 件 事 情")

    assert found["我们已"] > found["我们"]
    assert tears(found["我们已"])


def test_a_word_that_was_given_whole_elsewhere_is_one_word_everywhere() -> None:
    assert tears(penalties("菜蟒 很 好吃 他们 吃 菜 蟒")["菜蟒很好吃他们吃菜"])


def test_single_characters_in_doubt_are_dearer_than_whole_words_in_the_same_doubt() -> None:
    singly, whole = penalties("他 住 在 维 多 利 亚 城"), penalties("他 住 在 维多 利亚 城")

    assert singly["他住在维多"] > whole["他住在维多"]


def test_a_foreign_word_in_katakana_is_dearer_to_tear_than_any_phrase() -> None:
    found = penalties("彼 は シ ン プ ル な メ ロ ディ を 作 り ま し た")

    assert found["彼はシン"] > found["彼はシンプルなメロディを作り"]


@pytest.mark.parametrize("pieces", ["王権 に 対する 挑戦 です", "王 権 に 対 す る 挑 戦 で す"])
def test_a_particle_of_several_words_is_dear_to_part_however_it_was_given_but_not_torn(pieces: str) -> None:
    found = penalties(pieces)

    assert found["王権に"] > found["王権に対する"]
    assert not tears(found["王権に"])


def test_the_first_character_of_a_word_is_no_particle() -> None:
    found = penalties("卒 業 式 が 中 止 に な り ま し た")

    assert not tears(found["卒業式が"])


def test_where_someone_else_tells_the_words_only_function_words_count() -> None:
    found = penalties("我 们 已 经 知 道 了 这 件 事 情", guess=False)

    assert found["我们已经知"] == 0
    assert tears(found["我们已经知道"])


def test_an_interpunct_ties_a_name_together() -> None:
    assert penalties("我们 谈论 汉娜· 阿伦特 的 书")["我们谈论汉娜·"] >= FORBIDDEN
