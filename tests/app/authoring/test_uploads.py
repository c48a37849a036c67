"""Archives, sound and hostile."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile

import pytest

from app.authoring.uploads import read_one_file, read_zip
from problems.archive import zipped
from problems.complaints import PackageInvalid


def archive(*entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def complaints(data: bytes) -> str:
    with pytest.raises(PackageInvalid) as refused:
        read_zip(data)
    return str(refused.value)


SPEC = ("double/problem.yaml", "title: a")


@pytest.mark.parametrize("root", ["", "double/", "round-3/double/", "my-repo-main/round-3/double/"])
def test_the_package_is_found_wherever_it_lies(root: str) -> None:
    upload = read_zip(
        archive((f"{root}problem.yaml", "title: a"), (f"{root}submissions/accepted/a.py", "pass"))
    )
    assert upload.texts == {"problem.yaml": "title: a", "submissions/accepted/a.py": "pass"}
    assert upload.slug == ("double" if root else "")


def test_what_tools_leave_is_no_part_of_it() -> None:
    upload = read_zip(
        archive(
            SPEC, ("__MACOSX/double/._problem.yaml", b"\0"), ("double/.git/config", "x"),
            ("double/__pycache__/checker.pyc", b"\xff"),
        )
    )  # fmt: skip
    assert upload.texts == {"problem.yaml": "title: a"}


def test_an_exported_package_comes_back_byte_for_byte(texts: dict[str, str]) -> None:
    texts["editorial.md"] = "no last line, é\r\nand CRLF"
    upload = read_zip(zipped("double", 3, texts))
    assert (upload.slug, upload.texts) == ("double", texts)


def test_a_problem_of_one_file_comes_as_yaml_or_in_a_zip() -> None:
    assert read_one_file("kv-size.yaml", b"title: a").slug == "kv-size"
    upload = read_zip(archive(("round-3/kv-size.yaml", "title: a")))
    assert (upload.slug, upload.texts) == ("kv-size", {"problem.yaml": "title: a"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([SPEC, ("../../etc/cron.d/x", "x")], "leads out of it"),
        ([SPEC, ("/etc/passwd", "x")], "leads out of it"),
        ([SPEC, ("double\\..\\x", "x")], "leads out of it"),
        ([SPEC, ("C:x", "x")], "leads out of it"),
        ([SPEC, (link("double/notes.md"), "/etc/passwd")], "this is a link"),
        ([SPEC, ("double/checker.py", "x"), ("double/checker.py", "y")], "stands twice"),
        ([SPEC, ("double/my notes.md", "x")], "names must be letters"),
        ([SPEC, ("double/a/b/c/d/e.md", "x")], "nested 3 deep"),
        ([SPEC, ("double/a.png", b"\x89PNG")], "must be UTF-8 text, got the byte 0x89"),
        ([SPEC, ("double/a.md", "a\n\0")], "a NUL here"),
        ([SPEC, ("other/problem.yaml", "x")], "must hold one package"),
        ([("double/statement.md", "x"), ("double/a.md", "x")], "no problem.yaml is in it"),
        ([SPEC, *[(f"double/f{n}.md", "") for n in range(200)]], "may hold 200 files"),
        ([(f"d{n}/", "") for n in range(801)], "may hold 800 entries"),
        ([SPEC, ("double/zeros.md", "0" * (257 * 1024))], "a file may hold 256 KiB"),
        ([SPEC, *[(f"double/f{n}.md", "0" * 250_000) for n in range(9)]], "may hold 2048 KiB"),
    ],
)  # fmt: skip
def test_a_hostile_archive_is_refused_with_the_reason(
    entries: list[tuple[str | zipfile.ZipInfo, str | bytes]], told: str
) -> None:
    assert told in complaints(archive(*entries))


def test_a_bomb_that_lies_about_its_size_is_read_no_further_than_the_bound() -> None:
    data = bytearray(archive(SPEC, ("double/zeros.md", "0" * 20_000_000)))
    assert len(data) < 100_000
    directory = data.rindex(b"PK\x01\x02")  # the last entry's place in the central directory
    struct.pack_into("<I", data, directory + 24, 10)  # its size, as the archive says
    told = complaints(bytes(data))
    assert "a file may hold 256 KiB" in told or "must be a zip that is whole" in told


def test_an_encrypted_or_a_damaged_archive_is_refused() -> None:
    data = bytearray(archive(SPEC))
    directory = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, directory + 8, 1)
    assert "must not be encrypted" in complaints(bytes(data))
    assert "must be a zip that is whole" in complaints(b"PK\x03\x04 and no more")
    assert "must be a zip that is whole" in complaints(b"")


def test_an_entry_without_a_name_is_refused() -> None:
    entry = zipfile.ZipInfo("x")
    entry.filename = ""
    data = archive(("problem.yaml", "title: a"), (entry, "text"))
    assert "names must be letters" in complaints(data)


def test_too_large_an_archive_is_not_even_opened() -> None:
    assert "may have 2048 KiB" in complaints(b"x" * (2048 * 1024 + 1))


def test_no_damage_to_an_archive_is_more_than_a_refusal(texts: dict[str, str]) -> None:
    sound = zipped("double", 3, texts)
    chance = random.Random(1)
    refused = 0
    for _number in range(1500):
        data = bytearray(sound)
        for _byte in range(chance.choice([1, 2, 5, 20])):
            data[chance.randrange(len(data) - 1500, len(data))] = chance.randrange(256)
        try:
            read_zip(bytes(data))
        except PackageInvalid:
            refused += 1
    assert refused > 1000
