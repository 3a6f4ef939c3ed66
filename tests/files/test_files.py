"""Files are whole or not there, and failing to write one says which and what to do."""

import shutil
import threading
import time
from pathlib import Path

import pytest

from nws.errors import NwsError
from nws.files import code
from nws.files.top import TEMPLATES
from nws.files.whole import write_bytes, write_text


def test_a_file_is_replaced_and_nothing_else_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    for content in ("one", "two"):
        write_text(path, content)
        assert path.read_text() == content
    assert list(path.parent.iterdir()) == [path]


def test_many_writers_never_show_a_part(tmp_path: Path) -> None:
    """Threads share a process id, and hosts of one file system may have equal ones."""
    path, contents = tmp_path / "a", [bytes([i]) * 50_000 for i in range(4)]
    write_bytes(path, contents[0])
    failures: list[Exception] = []

    def write(content: bytes) -> None:
        try:
            for _ in range(25):
                write_bytes(path, content)
        except NwsError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert path.read_bytes() in contents
        time.sleep(0.002)
    assert failures == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_text(path, "old")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as stream:
            stream.write(content[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NwsError, match="a: cannot be written: No space left on device; make room"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "a file")
    with pytest.raises(NwsError, match=r"a/b/c: cannot be written: .*run the same command again"):
        write_text(tmp_path / "a" / "b" / "c", "text")


def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(NwsError, match=r"gone is a link to .*nowhere, which is not there"):
        write_text(tmp_path / "gone" / "a" / "b.txt", "b")
    with pytest.raises(NwsError, match="file is no folder: rename it"):
        write_text(tmp_path / "file" / "b.txt", "b")


def test_the_templates_have_a_hash_of_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = code.template_hash()
    shutil.copytree(TEMPLATES, tmp_path / "report")
    monkeypatch.setattr(code, "TEMPLATES", tmp_path / "report")
    assert code.template_hash() == kept
    with (tmp_path / "report" / "sections" / "answer.html.j2").open("a") as file:
        file.write("more\n")
    assert code.template_hash() != kept
