"""A document as one inbox wants it shown: its limits, its speakers' names. Cues are cut once for all formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dropscribe.model import Document, Segment, Transcript
from dropscribe.render.characters import cells
from dropscribe.render.cues import Cue, cues, sentence_cues
from dropscribe.render.plain import letters
from dropscribe.render.profiles import Script, Subtitles, layouts, limits_for
from dropscribe.render.speech import by_channel

SRT = "srt"
FELL_BACK = "one cue a sentence was written instead of cut subtitles"


@dataclass(frozen=True, slots=True)
class Presentation:
    """The keys of an inbox that say how its transcripts are shown; a reload changes them at any time."""

    subtitles: Subtitles = field(default_factory=Subtitles)
    speakers: Mapping[int, str] = field(default_factory=dict)
    """Names by the recogniser's number; by channel where it tells no speakers apart and there are several."""


@dataclass
class Edition:
    """What a format is given. `notes` are sentences on what did not go as it should."""

    document: Document
    presentation: Presentation = field(default_factory=Presentation)
    notes: list[str] = field(default_factory=list)
    plainly: bool = False
    """One cue a sentence, where a file of cut cues did not hold its text."""
    _cut: dict[str, list[Cue]] = field(default_factory=dict)

    @property
    def segments(self) -> Sequence[Segment]:
        return self.document.transcript.segments

    @cached_property
    def speaker_numbers(self) -> frozenset[int]:
        """All that are told apart."""
        return frozenset(segment.speaker for segment in self.segments if segment.speaker is not None)

    @cached_property
    def channels(self) -> tuple[int | None, ...]:
        """Those on which anything was said, in order."""
        return tuple(
            sorted(by_channel(self.document.transcript), key=lambda channel: -1 if channel is None else channel)
        )

    def of_channel(self, channel: int | None) -> "Edition":
        """The same as if nothing else had been recorded; its notes are these."""
        whole = self.document.transcript
        segments = tuple(segment for segment in self.segments if segment.channel == channel)
        text = "\n".join(segment.text for segment in segments)
        heard = replace(self.document, transcript=Transcript(whole.duration_ms, text, segments))
        return Edition(heard, self.presentation, self.notes)

    def given_name(self, channel: int | None, speaker: int | None) -> str | None:
        """The name that the configuration gives."""
        number = channel if speaker is None and len(self.channels) > 1 else speaker
        return None if number is None else self.presentation.speakers.get(number)

    def name(self, channel: int | None, speaker: int | None) -> str | None:
        """The given name, else one with the number; None where there is only one voice to tell."""
        given = self.given_name(channel, speaker)
        if given is not None:
            return given
        if speaker is not None and (len(self.speaker_numbers) > 1 or len(self.channels) > 1):
            return f"Speaker {speaker}"
        return f"Channel {channel}" if channel is not None and len(self.channels) > 1 else None

    def label(self, channel: int | None, speaker: int | None, script: Script, format_name: str = "") -> str:
        """What SRT puts before the first words of a speaker with a name; nothing for one as long as half a line."""
        if format_name != SRT and len(self.channels) > 1:
            return ""
        name = self.given_name(channel, speaker)
        room = limits_for(self.presentation.subtitles, script, format_name).line // 2
        return f"{name}: " if name and cells(name) + 2 <= room else ""

    def cues(self, format_name: str = "") -> list[Cue]:
        """The cues for a format; one a sentence where cutting them went wrong, which `notes` then say."""
        key = layouts(self.presentation.subtitles, format_name)
        if not key and format_name == SRT and self.presentation.speakers and len(self.channels) > 1:
            key = SRT  # lines with room for names, which no other format has in its text
        if self.plainly:
            return sentence_cues(self.document.transcript, self.presentation.subtitles)
        if key not in self._cut:
            self._cut[key] = self._checked(format_name)
        return self._cut[key]

    def _checked(self, format_name: str) -> list[Cue]:
        transcript, subtitles = self.document.transcript, self.presentation.subtitles
        try:
            found = cues(transcript, subtitles, format_name, self.label)
        except Exception as error:  # whatever is wrong with the cutting, the text is there and can be shown
            self.notes.append(f"{FELL_BACK}: {type(error).__name__}: {error}")
            return sentence_cues(transcript, subtitles)
        if _said(found) != _spoken(self):
            self.notes.append(f"{FELL_BACK}: the cut cues did not hold the text exactly")
            return sentence_cues(transcript, subtitles)
        return found


def _said(found: Sequence[Cue]) -> dict[int | None, str]:
    channels: dict[int | None, list[str]] = {}
    for cue in found:
        channels.setdefault(cue.channel, []).extend(token.text for line in cue.lines for token in line)
    return {channel: "".join("".join(texts).split()) for channel, texts in channels.items()}


def _spoken(edition: Edition) -> dict[int | None, str]:
    channels = by_channel(edition.document.transcript)
    return {
        channel: "".join("".join(segment.text for segment in segments).split())
        for channel, segments in channels.items()
    }


def same_text(shown: str, meant: str) -> bool:
    """Whether a file shows what it has to, spaces and our own invisible characters aside."""
    return letters(shown) == letters(meant)
