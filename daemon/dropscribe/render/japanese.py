"""Japanese without a dictionary: which words lean on those before them, told by the characters around a border.

Tokens do not tell it: recognisers give a word whole, with its particle, or character by character.
"""

import re
from typing import Final

_NO_PHRASE: Final = re.compile(
    "(?<=[をにでとへら])も(?![うしっとのら])"
    "|こと|もの(?!す)|ため(?!ら)|ところ|とき(?!め)|うえ|はず|わけ|つもり|ほう|まま|くらい|ぐらい|ほど|どころ|かも[知し]れ"
    "|(?<=[\u4e00-\u9fff])(?:する|すれ|すべ|せず|せよ|し[たてなよま]|され|させ|でき)"
)
"""Nouns that only serve (こと, ため), particles in a row (にも), and する that makes a noun a verb."""
_GOES_ON: Final = re.compile(
    "(?<=と)(?:いう|いっ|いわ|いえ|言う|言っ|言わ|言え|して|ともに|共に|な[らりるれろっ])"
    "|(?<=に)(?:よっ|よる|より|よれば|対し|対す|たいし|関し|関す|かんし|つい|つき|おい|おけ|とっ|わたっ|わたり|わたる|かけて"
    "|あたっ|あたり|伴|基づ|もとづ|際し|過ぎ|すぎ|比べ|くらべ|加え|応じ|な[らりるれろっ])"
    "|(?<=を)(?:はじめ|始め|通じ|通し|もっ|めぐ|巡っ|問わ|もとに)"
    "|(?<=[てで])(?:い[るたなまてれ]|ある|あり|あっ|おり|おら|しま|もら|くれ|くだ|下さ|頂|いただ|ほし|欲し)"
    "|(?<=ば)(?:なら|よい|良い|いい)"
    "|(?<=も)(?:しれ|知れ)"
)
"""Particles of several words (に対する, という), and verbs that help another (ている, てもらう)."""
_IDEOGRAPH = re.compile("[\u4e00-\u9fff々]")
_KATAKANA = re.compile("[\u30a1-\u30ff]")
_HIRAGANA = re.compile("[\u3041-\u309f]")


def leans(text: str, at: int) -> bool:
    """Whether what begins at an offset of the text belongs to what stands before it, word of its own or not."""
    return _NO_PHRASE.match(text, at) is not None


def goes_on(text: str, at: int) -> bool:
    """Whether it rather belongs there: lines may begin with it where they have no better place."""
    return _GOES_ON.match(text, at) is not None


def is_hiragana(character: str) -> bool:
    """What inflects and connects; few phrases begin with it."""
    return _HIRAGANA.match(character) is not None


def both_kanji(end: str, head: str) -> bool:
    """Mostly a compound: phrases end in hiragana."""
    return _IDEOGRAPH.match(end) is not None and _IDEOGRAPH.match(head) is not None


def both_katakana(end: str, head: str) -> bool:
    """Mostly one foreign word."""
    return _KATAKANA.match(end) is not None and _KATAKANA.match(head) is not None
