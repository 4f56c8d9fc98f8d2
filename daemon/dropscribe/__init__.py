"""Drop audio or video into a folder, find transcripts and subtitles in another."""

__version__ = "0.1.0"
