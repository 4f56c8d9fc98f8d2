"""What is said in one content, and when."""

from dataclasses import dataclass

Phrase = tuple[int, int, str]
"""Begin and end in ms, and the text between two pauses."""


@dataclass(frozen=True, slots=True)
class Sentence:
    phrases: tuple[Phrase, ...]
    speaker: int = 0
    channel: int = 0

    @property
    def text(self) -> str:
        return "".join(text for _, _, text in self.phrases)

    @property
    def begin_ms(self) -> int:
        return self.phrases[0][0]

    @property
    def end_ms(self) -> int:
        return self.phrases[-1][1]


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of one content."""

    format: str
    sample_rate: int
    duration_ms: int
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """All of the first channel, a space between sentences."""
        return " ".join(sentence.text.strip() for sentence in self.sentences if sentence.channel == 0)
