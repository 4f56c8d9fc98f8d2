"""What it costs to end a line or a cue between two tokens: nothing after a sentence, much after an article."""

import re
from collections.abc import Sequence
from typing import Final

from dropscribe.render.characters import OPENERS
from dropscribe.render.kinds import CLAUSE, COMMA, NO_MARK, SENTENCE, Kind
from dropscribe.render.lexicon import Phrases, phrases
from dropscribe.render.speech import Run

LEAST_WITHOUT_MARK: Final = 0.3
PAUSE_WORTH_MS: Final = 150
"""A pause of this length takes 1 off the cost of a border without a mark, down to LEAST_WITHOUT_MARK."""

TORN: Final = 20.0
"""Inside a token: only where it is wider than a line."""
FORBIDDEN: Final = 1e8

_AFTER_HOLD, _BEFORE_FOLLOWER, _AFTER_NUMBER, _IN_NAME = 5.5, 6.0, 6.0, 5.0
_AMONG_LATIN: Final = 5.0
_IN_PHRASE: Final = 8.0
_LEAD: Final = -1.2
_DANGLING: Final = 2.0
"""After the first word of a clause or sentence, which would dangle at the end of the one before."""
_PERHAPS_ONE_WORD: Final = 3.0
"""Two single characters in a row: a word of two is often given in two."""
_A_SYLLABLE: Final = 4
"""Characters."""
_BAD: Final = 4.0
"""A penalty from here on means that the border tears something apart."""

_HIRAGANA = re.compile("[\u3041-\u309f]")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff々]")
_KATAKANA = re.compile("[\u30a1-\u30ff]")


def border_costs(run: Run, kinds_of: Sequence[Kind], lexicon: bool = True) -> tuple[list[float], list[float]]:
    """(cost, penalty) of the border before each token and, at the end, after the last; the first is not used.

    The penalty is that part of the cost which stands for something torn apart; `lexicon`: phrases count for it.
    """
    tokens, begins = run.tokens, run.sentences
    costs, penalties = [0.0] * (len(tokens) + 1), [0.0] * (len(tokens) + 1)
    lexical = _Lexical(run, lexicon) if run.script in ("han", "kana", "thai") else None
    before, last = kinds_of[0], tokens[0]
    for at in range(1, len(tokens)):
        after, token = kinds_of[at], tokens[at]
        if begins[at]:
            costs[at] = SENTENCE if before.ends_sentence else CLAUSE
        elif before.mark == SENTENCE and not after.lower:
            costs[at] = SENTENCE
        elif 0 < before.mark < NO_MARK:
            costs[at] = before.mark
        else:
            pause = max(0, token[1] - last[2])
            cost = max(LEAST_WITHOUT_MARK, NO_MARK - min(3.2, pause / PAUSE_WORTH_MS))
            penalty = _penalty(before, after, run) if lexical is None else lexical.penalty(before, after, at)
            if after.leads and not penalty:
                cost = max(LEAST_WITHOUT_MARK, cost + _LEAD)
            if costs[at - 1] <= COMMA and at > 1:
                cost += _DANGLING
            costs[at], penalties[at] = cost + penalty, penalty
        before, last = after, token
    return costs, penalties


def _penalty(before: Kind, after: Kind, run: Run) -> float:
    """In a script with spaces between words."""
    penalty = 0.0
    if before.holds:
        penalty += _AFTER_HOLD
    if after.follows:
        penalty += _BEFORE_FOLLOWER
    if before.number and not after.leads:
        penalty += _AFTER_NUMBER if not after.holds else _AFTER_NUMBER / 2
    elif after.number and before.capital:
        penalty += _AFTER_NUMBER / 2
    if before.capital and after.capital:
        penalty += _IN_NAME if run.language != "de" else 1.0
    if before.glued:
        penalty += _glued(before, after, run)
    return penalty


def _glued(before: Kind, after: Kind, run: Run) -> float:
    """No space between them: a wide script in a run of another, or a dash."""
    if before.end in "·・‧" or after.head in "·・‧" or before.end in OPENERS:
        return FORBIDDEN
    return _AMONG_LATIN if run.script != "hangul" or before.latin_end == after.latin_head else 0.0


class _Lexical:
    """Borders of a script without spaces: by its particles, its lexicon, and how its characters change."""

    def __init__(self, run: Run, lexicon: bool) -> None:
        self._run = run
        self._text = "".join(token.text for token in run.tokens)
        self._begins = phrases(run.script, self._text) if lexicon else None
        self._guess = lexicon
        words = run.script == "thai" and any(token.spoken and len(token.text) > _A_SYLLABLE for token in run.tokens)
        self._in_phrase = _PERHAPS_ONE_WORD if words else _IN_PHRASE  # Thai words are words; phrases are but a hint
        self._offset, self._at = 0, 0

    def penalty(self, before: Kind, after: Kind, at: int) -> float:
        """Of the border before token `at`; asked for in order."""
        tokens = self._run.tokens
        while self._at < at:
            self._offset += len(tokens[self._at].text)
            self._at += 1
        if before.glued and (before.end in "·・‧" or after.head in "·・‧" or before.end in OPENERS):
            return FORBIDDEN
        penalty = 0.0
        if before.latin_end and after.latin_head:
            penalty += _AMONG_LATIN
        elif before.number:
            penalty += _AFTER_NUMBER
        if before.holds and not after.leads:
            penalty += _AFTER_HOLD
        if after.follows:
            penalty += _BEFORE_FOLLOWER
        if before.tail and not penalty:
            return 0.0
        return penalty + self._torn(self._begins, before, after)

    def _torn(self, begins: Phrases | None, before: Kind, after: Kind) -> float:
        if self._guess and min(before.width, after.width) <= 2 and self._in_known_word():
            return _IN_PHRASE
        if begins is not None:
            return self._doubt(before, after) if begins(self._text, self._offset) else self._in_phrase
        if self._run.script == "kana" and self._guess and _HIRAGANA.match(after.head):
            return _BAD
        return self._doubt(before, after)

    def _doubt(self, before: Kind, after: Kind) -> float:
        """What may be one word all the same: single Chinese characters, Japanese ones without kana between them."""
        if not self._guess:
            return 0.0
        if self._run.script == "kana":
            return _japanese(before.end, after.head)
        if self._run.script == "han" and before.width == 2 and not before.follows:
            return _PERHAPS_ONE_WORD if after.width == 2 else _PERHAPS_ONE_WORD / 2
        return 0.0

    def _in_known_word(self) -> bool:
        """Whether characters on both sides make up a word that was given whole elsewhere."""
        text, at, known = self._text, self._offset, self._run.vocabulary
        return any(
            text[max(0, at - before) : at + after] in known
            for before, after in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (1, 3))
        )


def _japanese(end: str, head: str) -> float:
    """Phrases end in hiragana: kanji after kanji, or katakana after katakana, is mostly one word."""
    if _IDEOGRAPH.match(end) and _IDEOGRAPH.match(head):
        return _BAD if end == "的" else _PERHAPS_ONE_WORD
    return _IN_PHRASE if _KATAKANA.match(end) and _KATAKANA.match(head) else 0.0


def tears(penalty: float) -> bool:
    """Whether a border with this penalty takes apart what belongs together."""
    return penalty >= _BAD
