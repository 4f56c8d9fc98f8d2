"""Bounded threads, apart by what they wait for, so that a slow disk stops no upload."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

THREADS_AN_INBOX = 2
MOST_UPLOADS = 64
"""Threads, as many as `storage.uploads` may ever be; only those that are needed are made."""


class Unawaited(ThreadPoolExecutor):
    """For what the loop itself runs in threads (resolving names): its end waits for none of it."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures)


def _pool(threads: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=name)


@dataclass
class Pools:
    """All of a daemon's but the ledger's."""

    uploads: ThreadPoolExecutor = field(default_factory=lambda: _pool(MOST_UPLOADS, "upload"))
    work: ThreadPoolExecutor = field(default_factory=lambda: _pool(2, "work"))
    probe: ThreadPoolExecutor = field(default_factory=lambda: _pool(1, "probe"))
    cleanup: ThreadPoolExecutor = field(default_factory=lambda: _pool(1, "cleanup"))
    inboxes: dict[str, ThreadPoolExecutor] = field(default_factory=dict)

    def of_inbox(self, name: str) -> ThreadPoolExecutor:
        """Threads for the folders of one inbox."""
        if name not in self.inboxes:
            self.inboxes[name] = _pool(THREADS_AN_INBOX, f"folder-{name}")
        return self.inboxes[name]

    def close(self) -> None:
        """Let running jobs end by themselves; nothing new begins."""
        for pool in (self.uploads, self.work, self.probe, self.cleanup, *self.inboxes.values()):
            pool.shutdown(wait=False, cancel_futures=True)
