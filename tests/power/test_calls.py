"""Every call that changes a file system is understood, or refused loudly."""

import pytest

from power.calls import Call, NotUnderstood, Trace


def hexed(text: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text)


def named(number: int | str, path: bytes) -> str:
    """A descriptor as strace shows it."""
    return f"{number}<{hexed(path)}>"


HERE = named("AT_FDCWD", b"/")
FOLDER = named(7, b"/lab/a")
FILE = named(5, b"/lab/a/x")


def calls_of(*lines: str) -> list[Call]:
    trace = Trace([b"/lab"])
    trace.read(lines)
    return trace.calls


@pytest.mark.parametrize(
    ("line", "call"),
    [
        (f'openat({FOLDER}, "{hexed(b"x")}", O_WRONLY|O_CREAT|O_EXCL, 0600) = {FILE}', Call("create", b"/lab/a/x")),
        (f'openat({HERE}, "{hexed(b"/lab/a/x")}", O_RDWR|O_TRUNC) = {FILE}', Call("resize", b"/lab/a/x")),
        (f'pwrite64({FILE}, "{hexed(b"ab")}", 2, 4096) = 2', Call("write", b"/lab/a/x", offset=4096, data=b"ab")),
        (f'write({FILE}, "{hexed(b"abc")}", 3) = 2', Call("write", b"/lab/a/x", data=b"ab")),
        (f"ftruncate({FILE}, 12) = 0", Call("resize", b"/lab/a/x", size=12)),
        (
            f'renameat2({FOLDER}, "{hexed(b"x")}", {HERE}, "{hexed(b"/lab/b")}", RENAME_NOREPLACE) = 0',
            Call("rename", b"/lab/a/x", b"/lab/b"),
        ),
        (
            f'linkat({FOLDER}, "{hexed(b"x")}", {FOLDER}, "{hexed(b"y")}", 0) = 0',
            Call("link", b"/lab/a/x", b"/lab/a/y"),
        ),
        (f'mkdirat({FOLDER}, "{hexed(b"new")}", 0777) = 0', Call("mkdir", b"/lab/a/new")),
        (f'unlinkat({FOLDER}, "{hexed(b"x")}", 0) = 0', Call("unlink", b"/lab/a/x")),
        (f'unlinkat({FOLDER}, "{hexed(b"c")}", AT_REMOVEDIR) = 0', Call("rmdir", b"/lab/a/c")),
        (f"fdatasync({FILE}) = 0", Call("sync", b"/lab/a/x")),
        (f'write({named(9, b"pipe:[1]")}, "{hexed(b"mark here")}", 9) = 9', Call("mark", b"here")),
    ],
    ids=lambda value: value.kind if isinstance(value, Call) else "",
)
def test_a_call_is_read(line: str, call: Call) -> None:
    assert calls_of(f"41 {line}") == [call]


@pytest.mark.parametrize(
    "line",
    [
        f'mkdirat({FOLDER}, "{hexed(b"new")}", 0777) = -1 EEXIST (File exists)',
        f'openat({HERE}, "{hexed(b"/lab/a/x")}", O_RDONLY|O_CLOEXEC) = {FILE}',
        f'openat({HERE}, "{hexed(b"/elsewhere")}", O_WRONLY|O_CREAT, 0600) = {named(5, b"/elsewhere")}',
        f'write({FILE}(deleted), "{hexed(b"ab")}", 2) = 2',
        "--- SIGCHLD {si_signo=SIGCHLD} ---",
        "+++ exited with 0 +++",
        "exit_group(0) = ?",
    ],
)
def test_what_changes_nothing_that_is_looked_at_is_no_call(line: str) -> None:
    assert calls_of(f"41 {line}") == []


def test_a_call_counts_when_it_ends_and_a_sync_remembers_when_it_began() -> None:
    calls = calls_of(
        f"41 fsync({FILE} <unfinished ...>",
        f'42 write({FILE}, "{hexed(b"late")}", 4) = 4',
        "41 <... fsync resumed>) = 0",
    )

    assert calls == [Call("write", b"/lab/a/x", data=b"late"), Call("sync", b"/lab/a/x", begun=0)]


def test_writes_in_a_row_follow_each_other_until_the_file_is_opened_again() -> None:
    opening = f'41 openat({HERE}, "{hexed(b"/lab/a/x")}", O_WRONLY) = {FILE}'
    write = f'41 write({FILE}, "{hexed(b"ab")}", 2) = 2'

    assert [call.offset for call in calls_of(opening, write, write, opening, write)] == [0, 2, 0]


@pytest.mark.parametrize(
    "line",
    [f"fallocate({FILE}, 0, 0, 10) = 0", f'write({FILE}, "{hexed(b"ab")}"..., 9) = 9', "a line of another program"],
)
def test_what_cannot_be_read_is_never_passed_over(line: str) -> None:
    with pytest.raises(NotUnderstood):
        calls_of(f"41 {line}")
