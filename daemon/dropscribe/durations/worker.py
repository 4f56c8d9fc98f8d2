"""The child of `Durations`: paths in hexadecimal on stdin, seconds on stdout, `-` where nobody can tell.

The only home of PyAV. It is run as a file, and imports nothing of dropscribe.
"""

import os
import stat
import sys

try:
    import av
    from av.error import FFmpegError
except ImportError:
    sys.exit(3)

FORMATS = (
    "aac,amr,amrnb,amrwb,asf,avi,flac,flv,live_flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,"
    "ogg,wav,w64,aiff,caf"
)
"""Containers that the service takes: a playlist, which could name other files, is none."""
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}


def seconds_of(path: bytes) -> float | None:
    """The duration that the container claims, else its sound's; None without sound or where neither says anything."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with av.open(f"/proc/self/fd/{descriptor}", options=OPTIONS) as container:
            if not container.streams.audio:
                return None
            if container.duration is not None:
                return float(container.duration / av.time_base)
            sound = container.streams.audio[0]
            known = sound.duration is not None and sound.time_base is not None
            return float(sound.duration * sound.time_base) if known else None  # type: ignore[operator]
    finally:
        os.close(descriptor)


def main() -> None:
    """Answer until stdin ends."""
    for line in sys.stdin:
        try:
            seconds = seconds_of(bytes.fromhex(line))
        except (FFmpegError, OSError, ValueError):
            seconds = None
        good = seconds is not None and 0 < seconds < 1e7
        print(seconds if good else "-", flush=True)


if __name__ == "__main__":
    main()
