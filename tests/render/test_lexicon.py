"""The phrase lexicon: what BudouX says, and nothing where it is not installed."""

import subprocess
import sys
from itertools import accumulate

import budoux
import pytest

from dropscribe.render.lexicon import phrases
from dropscribe.render.profiles import Script

TEXTS: dict[Script, str] = {
    "han": "鉴于各联合国国家的人民已在联合国宪章中重申他们对基本人权的信念",
    "kana": "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "thai": "มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์",
}
PARSERS = {
    "han": budoux.load_default_simplified_chinese_parser,
    "kana": budoux.load_default_japanese_parser,
    "thai": budoux.load_default_thai_parser,
}


@pytest.mark.parametrize("script", TEXTS)
def test_a_border_that_budoux_sees_tears_less_likely_than_any_that_it_does_not_see(script: Script) -> None:
    text = TEXTS[script]
    tears = phrases(script, text)
    assert tears is not None

    seen = set(accumulate(map(len, PARSERS[script]().parse(text)[:-1])))

    chances = {at: tears(text, at) for at in range(1, len(text))}
    assert max(chances[at] for at in seen) < min(chance for at, chance in chances.items() if at not in seen)
    assert all(0 <= chance <= 1 for chance in chances.values())


def test_what_is_sure_is_told_from_what_is_doubtful() -> None:
    text = "研究结果由加拿大地质调查局公布"
    tears = phrases("han", text)
    assert tears is not None

    in_name, in_word, between = (tears(text, text.index(part) + 1) for part in ("拿大", "调查", "果由"))

    assert between < in_name < in_word


def test_a_script_with_spaces_needs_no_lexicon() -> None:
    assert phrases("latin", "Hello") is None


def test_the_thai_lexicon_knows_nothing_of_lao() -> None:
    assert phrases("thai", "ກອງປະຊຸມໃຫຍ່") is None


def test_subtitles_are_made_without_budoux_as_well() -> None:
    code = (
        "import sys; sys.modules['budoux'] = None\n"
        "from dropscribe.render.lexicon import phrases; print(phrases('han', '你好'))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "None\n"
