"""What leans on what stands before it in Japanese, however the recogniser has cut its words."""

import pytest

from dropscribe.render.japanese import both_kanji, both_katakana, goes_on, leans


def at_border(marked: str) -> tuple[str, int]:
    """The text, and the offset of the `|` in it."""
    return marked.replace("|", ""), marked.index("|")


@pytest.mark.parametrize(
    "text", ["転封する|こととなった", "明確にする|ために", "会議に|も出ます", "自由に利用|できる", "開放|されて"]
)
def test_serving_nouns_chained_particles_and_suru_lean_on_what_stands_before_them(text: str) -> None:
    assert leans(*at_border(text))


@pytest.mark.parametrize("text", ["とても|ものすごい音", "彼に|もう一度言う", "昨日|試したこと", "彼が|できることを"])
def test_words_that_only_look_like_them_do_not(text: str) -> None:
    assert not leans(*at_border(text))


@pytest.mark.parametrize(
    "text",
    ["王権に|対する挑戦", "雪に覆われたと|いう意味", "所在地に|ついても", "紹介して|もらう", "行かなければ|ならない"],
)
def test_particles_of_several_words_and_helping_verbs_go_on(text: str) -> None:
    assert goes_on(*at_border(text))


@pytest.mark.parametrize("text", ["彼は|対する相手を", "東京に|帰りたい", "静かな|いう言葉"])
def test_the_same_verbs_without_their_particle_do_not(text: str) -> None:
    assert not goes_on(*at_border(text))


def test_kanji_and_katakana_in_a_row_are_told() -> None:
    assert both_kanji("連", "会")
    assert not both_kanji("は", "会")
    assert both_katakana("ー", "ル")
    assert not both_katakana("の", "ル")
