"""What the answer to a query means for each file of a task: pure. The word on a file is its own, found by its key."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dropscribe.error_codes import Empty, Permanent, TryAgain, classify_subtask, code_in, wants_smaller_batch
from dropscribe.ledger.rows import Item
from dropscribe.model import SubtaskResult, TaskReport

MISSING = "MissingFromTask"
RESULT_MISSING = "ResultMissing"
MISSING_TRIES = 2
"""Further tries of a file that a finished task does not mention: it may have been paid each time."""
UNKNOWN_FILE = ""
"""In the place of a key: a file of a task that the ledger has not sent, as far as it knows (a restored backup)."""
NO_SPEECH = frozenset({"SUCCESS_WITH_NO_VALID_FRAGMENT", "ASR_RESPONSE_HAVE_NO_WORDS", "ASR_RESPONSE_HAVE_HO_WORDS"})
TERMINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELED"}) | NO_SPEECH


@dataclass(frozen=True)
class Fetch:
    """Recognised: the result waits at `url`."""

    item: Item
    url: str


@dataclass(frozen=True)
class NoSpeech:
    """Heard, and nobody speaks: an empty transcript."""

    item: Item
    code: str


@dataclass(frozen=True)
class Refuse:
    """The file itself is to blame."""

    item: Item
    code: str
    message: str
    remedy: str


@dataclass(frozen=True)
class SendAgain:
    """Not recognised, for a reason that may pass.

    `charged` says whether it uses up one of the file's tries, `company` how many may travel with it (0: any).
    """

    item: Item
    code: str
    message: str
    reupload: bool = False
    company: int = 0
    charged: bool = True


Verdict = Fetch | NoSpeech | Refuse | SendAgain


def is_terminal(report: TaskReport) -> bool:
    """Whether the task has ended; a status nobody knows counts as still running."""
    return report.status in TERMINAL


def judge(items: Sequence[Item], report: TaskReport, attempts: int, task: Sequence[str] | None = None) -> list[Verdict]:
    """One verdict for each item of an ended task. `attempts` is `retry.attempts`: the tries a file has in all.

    `task`: the keys of all files of the task in the order of its URLs, where these items are only those that are left.
    """
    keys = [item.key for item in items] if task is None else task
    found = match(keys, report.results or ())
    if not found and report.status != "SUCCEEDED":
        return [_whole_task(item, report, len(keys), attempts) for item in items]
    return [_one(item, found.get(item.key), len(keys), attempts) for item in items]


def match(keys: Sequence[str], results: Sequence[SubtaskResult]) -> dict[str, SubtaskResult]:
    """Results by our object key; of several for one key a success counts. Foreign ones are left out.

    `keys` are those of the whole task, also of files that are judged already; `UNKNOWN_FILE` for one that is not ours.
    Where the service names no URL at all, the order of the answer is taken, if the numbers agree; and the one result
    of one file is its own, in whatever form the URL is echoed. Of several files never: a stranger's words could be
    delivered.
    """
    found: dict[str, SubtaskResult] = {}
    ours = set(keys) - {UNKNOWN_FILE}
    for result in results:
        key = next((key for key in _endings(result.file_url) if key in ours), None)
        if key is not None and (key not in found or _is_success(result)):
            found[key] = result
    unnamed = not any(result.file_url for result in results)
    whole = len(results) == len(keys) and UNKNOWN_FILE not in keys
    if not found and whole and (unnamed or len(keys) == 1):
        return dict(zip(keys, results, strict=True))
    return found


def names_any(report: TaskReport, keys: Sequence[str]) -> bool:
    """Whether a task's results speak of any of these object keys: whether it is ours."""
    wanted = set(keys)
    return any(wanted.intersection(_endings(result.file_url)) for result in report.results or ())


def keys_under(report: TaskReport, prefix: str) -> list[str]:
    """The object keys below `prefix` that a task's results name."""
    endings = (ending for result in report.results or () for ending in _endings(result.file_url))
    return [ending for ending in endings if ending.startswith(prefix)]


def _endings(url: str) -> list[str]:
    """All tails of a URL's path: a key may stand behind a bucket's name (path style) or not, with any query or none."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:  # no address at all, so not ours
        return []
    parts = path.lstrip("/").split("/")
    return ["/".join(parts[n:]) for n in range(len(parts))]


def _is_success(result: SubtaskResult) -> bool:
    return result.status == "SUCCEEDED" and bool(result.transcription_url)


def _one(item: Item, result: SubtaskResult | None, count: int, attempts: int) -> Verdict:
    if result is None:
        message = "the task ended without a word on this file"
        return _again_or_refuse(SendAgain(item, MISSING, message, company=1), MISSING_TRIES, attempts)
    if _is_success(result):
        return Fetch(item, result.transcription_url or "")
    if result.status == "SUCCEEDED":
        message = result.message or "the service reports success but names no result"
        return _blamed(item, result.code or RESULT_MISSING, message, attempts)
    code, message = result.code or code_in(result.message) or result.status or "unknown", result.message or ""
    if count > 1 and wants_smaller_batch(code):
        return SendAgain(item, code, message, company=count // 2, charged=False)
    return _blamed(item, code, message, attempts)


def _whole_task(item: Item, report: TaskReport, count: int, attempts: int) -> Verdict:
    """A task that ended without results: its code speaks of all files, so nobody can say which is to blame."""
    code = report.code or code_in(report.message) or report.status
    message = report.message or "the task ended without results"
    if count > 1:
        company = count // 2 if wants_smaller_batch(code) else 1
        return SendAgain(item, code, message, company=company, charged=False)
    if report.status in NO_SPEECH:
        return NoSpeech(item, report.status)
    return _blamed(item, code, message, attempts)


def _blamed(item: Item, code: str, message: str, attempts: int) -> Verdict:
    said = classify_subtask(code, message)
    if isinstance(said, Empty):
        return NoSpeech(item, code)
    if isinstance(said, Permanent):
        return Refuse(item, code, message, said.remedy)
    assert isinstance(said, TryAgain)
    return _again_or_refuse(SendAgain(item, code, message, reupload=said.reupload), said.bound, attempts, said.remedy)


def _again_or_refuse(again: SendAgain, bound: int, attempts: int, remedy: str = "") -> Verdict:
    """`bound` further tries for this code, and `attempts` tries in all."""
    item = again.item
    if item.tries.get(again.code, 0) < bound and item.attempts + 1 < attempts:
        return again
    tried = f"It was tried {item.attempts + 1} times; `dropscribe retry` tries it again."
    return Refuse(item, again.code, again.message, f"{remedy} {tried}".lstrip())
