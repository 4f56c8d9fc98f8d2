"""How good our subtitles are, beside other tools' on the same words, and how fast they are cut."""
