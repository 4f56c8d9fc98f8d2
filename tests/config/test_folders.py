"""Folders that must not meet: a file is never taken twice, and never out of an outbox."""

import pytest


def boxes(config, *inboxes):
    """`inboxes` as mappings; a name each, so that only folders can be at fault."""
    config.keys.pop("inboxes[0].inbox")
    for index, keys in enumerate(inboxes):
        for key, yaml in {"name": f"box{index}", **keys}.items():
            config.set(f"inboxes[{index}].{key}", yaml)
    return config


FINE = [
    [{"inbox": "a"}, {"inbox": "b"}],
    [{"inbox": "a"}, {"inbox": "ab"}],
    [{"inbox": "a", "outbox": "a", "done": "keep"}],
    [{"inbox": "a", "outbox": "a/out", "done": "a/done", "failed": "a/failed"}],
    [{"inbox": "a", "outbox": "out", "done": "out"}],
    [{"inbox": "a", "outbox": "b/out"}, {"inbox": "b"}],
    [{"inbox": "a", "done": "delete"}],
]


@pytest.mark.parametrize("inboxes", FINE)
def test_folders_that_may_lie_so_are_taken(config, inboxes):
    assert len(boxes(config, *inboxes).load().inboxes) == len(inboxes)


def test_the_state_folder_may_lie_inside_an_inbox(config):
    config.set("state", "talks/inbox/.state")

    assert config.load().state == config.folder / "talks/inbox/.state"


CLASHES = [
    ([{"inbox": "a"}, {"inbox": "a"}], "inboxes[1].inbox", "same folder as inboxes[0].inbox"),
    ([{"inbox": "a"}, {"inbox": "./a/."}], "inboxes[1].inbox", "same folder"),
    ([{"inbox": "a"}, {"inbox": "b/../a"}], "inboxes[1].inbox", "same folder"),
    ([{"inbox": "a"}, {"inbox": "a/b"}], "inboxes[1].inbox", "overlaps with inboxes[0].inbox"),
    ([{"inbox": "a/b"}, {"inbox": "a"}], "inboxes[1].inbox", "overlaps with inboxes[0].inbox"),
    ([{"inbox": "a"}, {"inbox": "link"}], "inboxes[1].inbox", "same folder"),
    ([{"inbox": "a"}, {"inbox": "link/deep"}], "inboxes[1].inbox", "overlaps"),
    ([{"inbox": "x/in", "outbox": "x"}], "inboxes[0].inbox", "inside inboxes[0].outbox"),
    ([{"inbox": "x/in", "done": "x"}], "inboxes[0].inbox", "inside inboxes[0].done"),
    ([{"inbox": "x/in", "failed": "x"}], "inboxes[0].inbox", "inside inboxes[0].failed"),
    ([{"inbox": "in", "outbox": "out"}, {"inbox": "out/in"}], "inboxes[1].inbox", "inside inboxes[0].outbox"),
    ([{"inbox": "in", "outbox": "x"}, {"inbox": "x"}], "inboxes[1].inbox", "same folder as inboxes[0].outbox"),
    ([{"inbox": "state/in"}], "inboxes[0].inbox", "inside state"),
    ([{"inbox": "state"}], "inboxes[0].inbox", "same folder as state"),
    ([{"inbox": "a", "outbox": "a"}], "inboxes[0].done", "has to be `keep`"),
    ([{"inbox": "a", "outbox": "link", "done": "delete"}], "inboxes[0].done", "has to be `keep`"),
    ([{"inbox": "a", "outbox": "a", "done": "d"}], "inboxes[0].done", "has to be `keep`"),
    ([{"inbox": "a", "done": "a"}], "inboxes[0].done", "done: keep"),
    ([{"inbox": "a", "failed": "link"}], "inboxes[0].failed", "taken again"),
    ([{"inbox": "a", "failed": "outbox"}], "inboxes[0].failed", "among transcripts"),
    ([{"inbox": "a", "failed": "done"}], "inboxes[0].failed", "done as well"),
    ([{"inbox": "a", "outbox": "state"}], "inboxes[0].outbox", "state folder"),
]


@pytest.mark.parametrize(("inboxes", "path", "right"), CLASHES)
def test_folders_that_must_not_meet_are_one_fault_also_through_symlinks(config, inboxes, path, right):
    (config.folder / "a").mkdir()
    (config.folder / "link").symlink_to("a")

    problem = boxes(config, *inboxes).problem()

    assert problem.path == path
    assert problem.line is not None
    assert right in problem.message


def test_a_symlink_that_points_to_itself_is_no_crash(config):
    (config.folder / "loop").symlink_to("loop")

    assert boxes(config, {"inbox": "loop"}).load().inboxes[0].inbox == config.folder / "loop"


@pytest.mark.parametrize(
    "inboxes",
    [
        [{"inbox": "a/inbox"}, {"inbox": "b", "name": "a"}],
        [{"inbox": "x/talks"}, {"inbox": "y/talks"}],
    ],
)
def test_two_inboxes_of_one_name_are_a_fault(config, inboxes):
    config.keys.pop("inboxes[0].inbox")
    for index, keys in enumerate(inboxes):
        for key, yaml in keys.items():
            config.set(f"inboxes[{index}].{key}", yaml)

    problem = config.problem()

    assert problem.path == "inboxes[1].name"
    assert "inboxes[0]" in problem.message


@pytest.mark.parametrize("filesystem", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_state_folder_on_a_network_file_system_is_refused(config, filesystem):
    config.filesystem = filesystem
    config.set("state", "./s")

    problem = config.problem()

    assert (problem.path, problem.line) == ("state", config.line_of("state"))
    assert filesystem in problem.message
    assert "local disk" in problem.message


@pytest.mark.parametrize("filesystem", ["ext4", "xfs", "tmpfs", "overlay", "unknown"])
def test_a_state_folder_on_any_other_file_system_is_taken(config, filesystem):
    config.filesystem = filesystem

    assert config.load().state == config.folder / "state"
