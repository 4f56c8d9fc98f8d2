"""Times as formats write them. Hours have no end: recordings last half a day, offsets may go beyond a hundred hours."""


def stamp(ms: int, mark: str = ".") -> str:
    """`01:02:03.004`; SRT has a comma before the milliseconds."""
    seconds, ms = divmod(ms, 1000)
    return f"{clock(seconds)}{mark}{ms:03d}"


def clock(seconds: int) -> str:
    """`01:02:03`."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def centistamp(centiseconds: int) -> str:
    """`1:02:03.45`, as ASS has it."""
    seconds, rest = divmod(centiseconds, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}.{rest:02d}"


def centiseconds(ms: int) -> int:
    """To the nearest: the same time always gives the same, so what touches stays touching."""
    return (ms + 5) // 10
