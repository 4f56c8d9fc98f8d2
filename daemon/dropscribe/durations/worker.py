"""The child of `Durations`: root and path in hexadecimal on stdin, seconds on stdout, `-` where nobody can tell.

The only home of PyAV. It is run as a file, and imports nothing of dropscribe.
"""

import contextlib
import os
import resource
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


MOST_MEMORY = 2 * 1024**3
"""Bytes of address space; measured are some hundred million, most of them libraries."""


def confine() -> None:
    """What a recording made by an enemy may make of this process: no large one, no files, no picture of its memory."""
    limits = {resource.RLIMIT_AS: MOST_MEMORY, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    for limit, most in limits.items():
        with contextlib.suppress(OSError, ValueError):  # a lower one is set already, or the house forbids the call
            resource.setrlimit(limit, (most, most))


def opened(root: bytes, path: bytes) -> int:
    """A descriptor of the file, reached without following a link below `root`."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    *folders, name = path.split(b"/")
    for part in folders:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def seconds_of(root: bytes, path: bytes) -> float | None:
    """The duration that the container claims, else its sound's; None without sound or where neither says anything."""
    descriptor = opened(root, path)
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
    confine()
    for line in sys.stdin:
        try:
            seconds = seconds_of(*map(bytes.fromhex, line.split()))
        except (FFmpegError, OSError, ValueError, ArithmeticError, MemoryError):
            seconds = None
        good = seconds is not None and 0 < seconds < 1e7
        print(seconds if good else "-", flush=True)


if __name__ == "__main__":
    main()
