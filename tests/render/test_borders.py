"""What a border costs: free after a sentence, dear inside what belongs together."""

import pytest

from dropscribe.model import Word
from dropscribe.render.borders import border_costs
from dropscribe.render.kinds import kinds
from dropscribe.render.penalties import FORBIDDEN, tears
from dropscribe.render.speech import runs
from render.documents import said, transcript


def costs(marked: str, gap: int = 0, pieces: str | None = None) -> tuple[float, bool]:
    """(cost, torn) of the border at `|`, where the words take 300 ms each."""
    text = marked.replace("|", "")
    words, at = [], 0
    for piece in (
        (pieces or marked.replace("|", "/ ") if pieces is None else pieces).replace("|", " ").replace("/", " ").split()
    ):
        words.append(Word(at, at + 300, piece, ""))
        at += 300 + (gap if "".join(word.text for word in words) == "".join(marked.partition("|")[0].split()) else 0)
    ((run,),) = runs(transcript(said(text, 0, at, *words))).values()
    found, penalties = border_costs(run, kinds(run))
    letters, before = 0, len("".join(marked.partition("|")[0].split()))
    for number, token in enumerate(run.tokens):
        letters += len("".join(token.text.split()))
        if letters == before:
            return found[number + 1], tears(penalties[number + 1])
    raise AssertionError("no token ends there")


TORN = [
    "we went to the |market place today",
    "this is because of |their own great plans",
    "it was said by Mark |Zuckerberg in the hearing",
    "we have to pay 20 |dollars for every one",
    "please welcome Mr. |Smith to the stage again",
    "we saw that he |went to them that day",
    "il est venu avec la |voiture de son ami hier",
    "wir sind mit dem |Auto nach Hause gefahren",
]


@pytest.mark.parametrize("text", TORN)
def test_what_belongs_together_is_dear_to_tear(text: str) -> None:
    cost, torn = costs(text)

    assert torn
    assert cost > 6


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Yes we do. |And so do they now", "Yes we do, |and so do they now"),
        ("Yes we do, |and so do they now", "Yes we do |and so do they now"),
        ("He came home |and they stayed there", "He came home and they |stayed there"),
        ("we went home |because it was raining", "we went home because it was |raining"),
    ],
)
def test_a_sentence_ends_better_than_a_clause_and_a_clause_better_than_a_phrase(better: str, worse: str) -> None:
    assert costs(better)[0] < costs(worse)[0]


def test_a_pause_makes_a_border_better() -> None:
    assert costs("walking home |slowly again", gap=450)[0] < costs("walking home |slowly again")[0]


def test_an_abbreviation_and_an_initial_end_no_sentence() -> None:
    assert costs("so said Dr. |Miller again to us")[0] > 4
    assert costs("so said John F. |Kennedy again to us")[0] > 4


def test_a_foreign_name_with_an_interpunct_is_never_torn() -> None:
    assert costs("我们谈论汉娜·|阿伦特的书和文章", pieces="我们 谈论 汉娜 阿伦特 的 书 和 文章")[0] >= FORBIDDEN


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("我们已经知道|了这件事情的经过", "我们 已经 知道 了 这件 事情 的 经过"),
        ("他们一起把|这件事情做完以后回家", "他们 一起 把 这件 事情 做完 以后 回家"),
        ("我们现在说说这三件|事情的经过", "我们 现在 说说 这三件 事情 的 经过"),
        ("我们在使用Visual |Studio写代码和文章", "我们 在 使用 Visual Studio 写 代码 和 文章"),
        ("その本が好きな人|は多いと思います", "その 本 が 好き な 人 は 多い と 思い ます"),
    ],
)
def test_particles_and_latin_words_in_chinese_and_japanese_stay_together(text: str, pieces: str) -> None:
    assert costs(text, pieces=pieces)[1]
