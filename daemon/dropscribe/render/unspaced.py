"""What a border costs for what it tears apart in scripts without spaces: particles, phrases, and doubts."""

from typing import Final

from dropscribe.render import japanese
from dropscribe.render.kinds import Kind
from dropscribe.render.lexicon import phrases
from dropscribe.render.penalties import (
    AFTER_HOLD,
    AFTER_NUMBER,
    AMONG_LATIN,
    BAD,
    BEFORE_FOLLOWER,
    FORBIDDEN,
    inseparable,
)
from dropscribe.render.speech import Run

_IN_PHRASE: Final = 12.0
"""By how likely the lexicon takes the border to tear one."""
_IN_KNOWN_WORD: Final = 8.0
_IN_FOREIGN_WORD: Final = 4.0
"""Katakana on both sides, beside what the lexicon says."""
_IN_COMPOUND: Final = 5.0
_GOES_ON: Final = BAD - 0.1
"""Dear, but nothing is torn: a line that begins with に対して's 対して is no fault where it has no better place."""
_PERHAPS_ONE_WORD: Final = 3.0
"""Two single Chinese characters in a row: a word of two is often given in two. Whole Thai words: phrases are a hint."""
_UNLIKELY: Final = 0.1
"""Below that the lexicon is sure that a phrase begins: what looks like a particle is the first character of a word."""
_A_SYLLABLE: Final = 4
"""Characters."""


class Unspaced:
    """The borders of one run.

    `guess`: the lexicon tells what is inside a word or phrase; without it, someone else does, who was not asked here.
    """

    def __init__(self, run: Run, guess: bool) -> None:
        self._run, self._guess = run, guess
        self._japanese = run.script == "kana"
        self._text = "".join(token.text for token in run.tokens)
        self._tears = phrases(run.script, self._text) if guess else None
        words = run.script == "thai" and any(token.spoken and len(token.text) > _A_SYLLABLE for token in run.tokens)
        self._in_phrase = _PERHAPS_ONE_WORD if words else _IN_PHRASE
        self._offset, self._at = 0, 0

    def penalty(self, before: Kind, after: Kind, at: int) -> float:
        """Of the border before token `at`; asked for in order."""
        tokens = self._run.tokens
        while self._at < at:
            self._offset += len(tokens[self._at].text)
            self._at += 1
        if before.glued and inseparable(before, after):
            return FORBIDDEN
        penalty = _among_words(before, after)
        if before.tail and not (penalty or after.follows):
            return 0.0
        chance = self._tears(self._text, self._offset) if self._tears is not None else None
        if self._follows(after, chance):
            penalty += BEFORE_FOLLOWER
        if before.tail and not penalty:
            return 0.0
        return penalty + self._torn(before, after, chance)

    def _follows(self, after: Kind, chance: float | None) -> bool:
        if not self._japanese:
            return after.follows
        if after.follows and (after.width > 2 or (self._guess and (chance is None or chance > _UNLIKELY))):
            return True
        return japanese.leans(self._text, self._offset)

    def _torn(self, before: Kind, after: Kind, chance: float | None) -> float:
        """A word or phrase, as far as it is ours to say."""
        if not self._guess:
            return 0.0
        if min(before.width, after.width) <= 2 and self._in_known_word():
            return _IN_KNOWN_WORD
        if self._japanese:
            return self._torn_japanese(before, after, chance)
        torn = self._in_phrase * (chance or 0.0)
        if self._run.script == "han" and before.width == 2 and not before.follows:
            torn += _PERHAPS_ONE_WORD if after.width == 2 else _PERHAPS_ONE_WORD / 2
        return torn

    def _torn_japanese(self, before: Kind, after: Kind, chance: float | None) -> float:
        if chance is None:
            if japanese.is_hiragana(after.head):
                return BAD
            chance = 1.0 if japanese.both_katakana(before.end, after.head) else 0.0
        torn = self._in_phrase * chance
        if japanese.both_katakana(before.end, after.head):
            return torn + _IN_FOREIGN_WORD
        if japanese.both_kanji(before.end, after.head):
            return max(torn, _IN_COMPOUND if before.end != "的" else BAD)
        return max(torn, _GOES_ON) if japanese.goes_on(self._text, self._offset) else torn

    def _in_known_word(self) -> bool:
        """Whether characters on both sides make up a word that was given whole elsewhere."""
        text, at, known = self._text, self._offset, self._run.vocabulary
        if not known:
            return False
        return (
            text[at - 1 : at + 1] in known
            or text[max(0, at - 2) : at + 1] in known
            or text[at - 1 : at + 2] in known
            or text[max(0, at - 2) : at + 2] in known
            or text[max(0, at - 3) : at + 1] in known
            or text[at - 1 : at + 3] in known
        )


def _among_words(before: Kind, after: Kind) -> float:
    penalty = 0.0
    if before.latin_end and after.latin_head:
        penalty += AMONG_LATIN
    elif before.number:
        penalty += AFTER_NUMBER
    if before.holds and not after.leads:
        penalty += AFTER_HOLD
    return penalty
