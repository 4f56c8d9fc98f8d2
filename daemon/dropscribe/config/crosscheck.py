"""Values that are right alone and wrong together, and what must be given one way or another: the services' part."""

from collections.abc import Callable

from dropscribe.config.drafts import Draft, Report
from dropscribe.config.schema import MODEL_STUDIO, STORAGE, Key, Section
from dropscribe.config.urls import host, is_internal, is_plain, is_service_domain, region_of

KEYS = ("access_key_id", "access_key_secret")
SHORT_GRACE = 60.0


def check_model_studio(draft: Draft, report: Report) -> None:
    """The key, the endpoint's safety, the waits."""
    if draft.lacks("api_key"):
        _missing_key(draft, "api_key", MODEL_STUDIO, report)
    _refuse_plain_http(draft, "endpoint", report)
    _in_order(draft.section("poll"), "first", "longest", report)
    grace = draft.get("lost_submit_grace")
    if grace is not None and grace < SHORT_GRACE:
        message = "is below 1m: a submit that surfaces late may be taken for lost, and be paid twice; 3m is safe"
        report.warn(draft.at("lost_submit_grace"), draft.line_of("lost_submit_grace"), message)


def check_subtitles(draft: Draft, report: Report) -> None:
    """A cue may stand as long as it has to."""
    _in_order(draft, "shortest", "longest", report)


def check_retry(draft: Draft, report: Report) -> None:
    """The waits grow."""
    _in_order(draft, "first_wait", "longest_wait", report)


def check_notify(draft: Draft, report: Report) -> None:
    """A webhook is signed, and its address is not shown to the network."""
    hook = draft.section("webhook")
    if hook.get("url") is not None and hook.lacks("secret"):
        message = "is missing; notices are signed with it. Right is, for instance, secret: ${credential:webhook-secret}"
        report.fault(hook.at("secret"), hook.line_of("url"), message)
    if hook.get("url") is None and hook.get("secret") is not None and "url" not in hook.faulty:
        report.fault(hook.at("url"), hook.line_of("secret"), "is missing; the secret alone tells nobody anything")
    url = hook.get("url")
    if url is not None and is_plain(url.reveal()) and hook.get("insecure") is False:
        message = "plain http would show file names to the network; right is https"
        report.fault(hook.at("url"), hook.line_of("url"), f"{message}, or, where that is meant, `insecure: true`")


def check_limits(draft: Draft, report: Report) -> None:
    """A day's limit above the month's is never reached."""
    day, month = draft.get("hours_per_day"), draft.get("hours_per_month")
    if day is not None and month is not None and day > month:
        message = "is above `hours_per_month`, which is reached first"
        report.warn(draft.at("hours_per_day"), draft.line_of("hours_per_day"), message)


def check_storage(draft: Draft, report: Report) -> None:
    """Bucket, region, credentials and the two endpoints; nothing more where the provider is refused."""
    if "provider" in draft.faulty:
        return
    checks: tuple[Callable[[Draft, Report], None], ...] = (
        _check_required,
        _check_credentials,
        _check_reachable,
        _check_domains,
        _check_region,
    )
    for check in checks:
        check(draft, report)
    _refuse_plain_http(draft, "endpoint", report)
    if "public_endpoint" in draft.written:
        _refuse_plain_http(draft, "public_endpoint", report)


def _in_order(draft: Draft, first: str, longest: str, report: Report) -> None:
    low, high = draft.get(first), draft.get(longest)
    if low is not None and high is not None and low > high:
        key = first if first in draft.written else longest
        report.fault(
            draft.at(key), draft.line_of(key), f"`{first}` has to be at most `{longest}`; lengthen `{longest}`"
        )


def _refuse_plain_http(draft: Draft, key: str, report: Report) -> None:
    url = draft.get(key)
    if url and is_plain(url) and draft.get("insecure") is False:
        message = "plain http would show keys and recordings to the network; right is https"
        remedy = "or, where that is meant, `insecure: true` beside it"
        report.fault(draft.at(key), draft.line_of(key), f"{message}, {remedy}")


def _missing_key(draft: Draft, name: str, section: Section, report: Report) -> None:
    env = next(entry.env for entry in section.keys if isinstance(entry, Key) and entry.name == name)
    credential = (env or "").lower()  # its name in our units and documents
    message = f"is missing; set the environment variable {env}, or write {name}: ${{credential:{credential}}}"
    report.fault(draft.at(name), draft.line_of(name), message)


def _check_required(draft: Draft, report: Report) -> None:
    for entry in STORAGE.keys:
        if isinstance(entry, Key) and entry.name in ("bucket", "region") and draft.lacks(entry.name):
            message = f"is missing; right is, for instance, `{entry.name}: {entry.example}`"
            report.fault(draft.at(entry.name), draft.line, message)


def _check_credentials(draft: Draft, report: Report) -> None:
    """A role, or a pair of keys. Keys in the environment are no contradiction to a role, only written ones are."""
    if "ram_role" in draft.faulty:
        return
    if draft.lacks("ram_role"):
        _check_keys(draft, report)
        return
    for name in (*KEYS, "session_token"):
        if name in draft.written and draft.get(name) is not None:
            report.fault(draft.at(name), draft.line_of(name), "cannot stand beside ram_role; keep one of the two")


def _check_keys(draft: Draft, report: Report) -> None:
    for name in KEYS:
        if draft.lacks(name):
            _missing_key(draft, name, STORAGE, report)


def _check_reachable(draft: Draft, report: Report) -> None:
    url, region = draft.get("public_endpoint"), draft.get("region")
    if url and is_internal(url):
        key = "public_endpoint" if "public_endpoint" in draft.written else "endpoint"
        right = f"https://oss-{region or 'cn-beijing'}.aliyuncs.com, or a domain of your own"
        message = f"is internal, so the recogniser cannot fetch from it; right is {right}"
        report.fault(draft.at("public_endpoint"), draft.line_of(key), message)


def _check_domains(draft: Draft, report: Report) -> None:
    """With cname the endpoints are domains bound to the bucket; without it the bucket is put in front of them."""
    if draft.get("cname") and "endpoint" not in draft.written:
        message = "is missing, but needed with cname: true; right is the domain that is bound to the bucket"
        report.fault(draft.at("endpoint"), draft.line_of("cname"), message)
        return
    for key in ("endpoint", "public_endpoint"):
        if key in draft.written and draft.get(key):
            _check_domain(draft, key, report)


def _check_domain(draft: Draft, key: str, report: Report) -> None:
    url, cname, bucket = draft.values[key], draft.get("cname"), draft.get("bucket")
    if cname and is_service_domain(url):
        message = "is OSS's own domain, not one that is bound to the bucket; right with it is cname: false"
        report.fault(draft.at(key), draft.line_of(key), message)
    if cname is False and bucket and host(url).startswith(f"{bucket}.") and host(url).endswith(".aliyuncs.com"):
        message = (
            f"begins with the bucket's name, which is put in front by itself; right is {host(url)[len(bucket) + 1 :]}"
        )
        report.fault(draft.at(key), draft.line_of(key), message)


def _check_region(draft: Draft, report: Report) -> None:
    region = draft.get("region")
    for key in ("endpoint", "public_endpoint"):
        named = region_of(draft.get(key) or "")
        if key in draft.written and region and named and named != region:
            message = f"names the region {named}, but storage.region is {region}; requests may be refused"
            report.warn(draft.at(key), draft.line_of(key), message)
