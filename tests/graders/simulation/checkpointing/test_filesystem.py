"""The disk keeps what was made certain, may keep anything else, and invents nothing."""

from __future__ import annotations

import pytest

from graders.simulation.checkpointing.filesystem import (
    MAX_IMAGES,
    FileSystem,
    Image,
    Misuse,
)


def images(disk: FileSystem) -> list[Image]:
    return [crash.image for crash in disk.crashes(seed=1)]


def test_a_name_without_content_and_content_without_a_name() -> None:
    disk = FileSystem()
    disk.create(0, "a")
    disk.write(1, "a", b"1234")
    assert sorted(images(disk), key=str) == [{"a": b""}, {"a": b"12"}, {"a": b"1234"}, {}]


def test_fsync_makes_content_certain_and_not_the_name() -> None:
    disk = FileSystem()
    disk.create(0, "a")
    disk.write(1, "a", b"1234")
    disk.fsync("a")
    assert images(disk) == [{"a": b"1234"}, {}]
    disk.fsync_dir()
    assert images(disk) == [{"a": b"1234"}]


def test_fsync_of_the_directory_makes_names_certain_and_not_content() -> None:
    disk = FileSystem()
    disk.create(0, "a")
    disk.write(1, "a", b"1234")
    disk.fsync_dir()
    assert images(disk) == [{"a": b"1234"}, {"a": b"12"}, {"a": b""}]


def test_a_rename_is_there_or_not_and_may_overtake_create_and_content() -> None:
    disk = FileSystem({"latest": b"1"})
    disk.create(0, "draft")
    disk.write(1, "draft", b"2")
    disk.rename(2, "draft", "latest")
    found = images(disk)
    assert {"latest": b"2"} in found  # all of it
    assert {"latest": b""} in found  # the rename, without the content
    assert {"latest": b"1"} in found  # nothing
    assert {"latest": b"1", "draft": b"2"} in found  # the create alone
    assert all("latest" in image for image in found)  # atomic: one of both is always there


def test_a_later_write_may_be_there_without_an_earlier_one() -> None:
    disk = FileSystem({"a": b"x"})
    disk.write(0, "a", b"12")
    disk.write(1, "a", b"34")
    found = [image["a"] for image in images(disk)]
    assert b"x\0\00034" in found
    assert b"x12" in found
    assert b"x1\00034" in found
    assert b"x" in found


def test_a_removed_file_may_come_back_until_the_directory_is_synced() -> None:
    disk = FileSystem({"a": b"1"})
    disk.unlink(0, "a")
    assert images(disk) == [{}, {"a": b"1"}]
    disk.fsync_dir()
    assert images(disk) == [{}]


def test_a_file_created_over_another_leaves_the_old_or_the_new_one() -> None:
    disk = FileSystem({"a": b"old"})
    disk.create(0, "a")
    disk.write(1, "a", b"new!")
    assert disk.read("a") == b"new!"
    found = images(disk)
    assert {"a": b"old"} in found
    assert {"a": b"new!"} in found
    assert {"a": b"old!"} not in found


def test_running_programs_see_everything_at_once() -> None:
    disk = FileSystem()
    disk.create(0, "a")
    disk.write(1, "a", b"12")
    disk.write(2, "a", b"3")
    disk.rename(3, "a", "b")
    assert (disk.names(), disk.read("b"), disk.used_bytes()) == (["b"], b"123", 3)
    with pytest.raises(Misuse):
        disk.read("a")


def test_with_too_many_doubts_each_single_loss_and_each_single_survivor_is_tried() -> None:
    disk = FileSystem()
    names = [f"file-{number:02d}" for number in range(12)]
    for number, name in enumerate(names):
        disk.create(number, name)
    found = disk.crashes(seed=1)
    assert len(found) <= 2 * MAX_IMAGES
    held = [set(crash.image) for crash in found]
    assert all({name} in held for name in names)
    assert all(set(names) - {name} in held for name in names)
    assert set() in held
    assert held[0] == set(names)  # the least lost first
