"""Where MNIST comes from: the named folder, the cache, the sources in turn, or one clear error."""

import gzip
import hashlib
import logging
import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from data_fake import CONTENTS, FILES, TEST, TRAIN

from nws.data.fetch import Mnist, hashes, mnist
from nws.data.rawfile import RawFile, content
from nws.data.sources import Contents, Source
from nws.errors import NwsError

GOOD = Source("good", lambda files: dict(CONTENTS))


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NWS_MNIST_DIR", raising=False)
    monkeypatch.setenv("NWS_CACHE", str(tmp_path / "cache"))


def failing(error: Exception) -> Source:
    def read(files: Sequence[RawFile]) -> Contents:
        raise error

    return Source("failing", read)


def folder(path: Path, suffix: str = "", dotted: bool = False) -> Path:
    path.mkdir()
    for name, data in CONTENTS.items():
        spelled = (name.replace("-idx", ".idx") if dotted else name) + suffix
        (path / spelled).write_bytes(gzip.compress(data) if suffix else data)
    return path


def is_right(found: Mnist) -> bool:
    same = (found.train_images == TRAIN).all() and (found.test_images == TEST).all()
    return bool(same) and found.sha256 == {file.name: file.sha256 for file in FILES}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
def test_a_named_folder_with_the_two_image_files(tmp_path: Path, suffix: str, dotted: bool) -> None:
    named = folder(tmp_path / "mine", suffix, dotted)
    found = mnist(str(named), sources=[], files=FILES)
    assert is_right(found)
    assert found.origin == f"folder {named}"


def test_the_variable_names_a_folder_and_the_key_comes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = folder(tmp_path / "one"), folder(tmp_path / "two")
    monkeypatch.setenv("NWS_MNIST_DIR", str(one))
    assert mnist(sources=[], files=FILES).origin == f"folder {one}"
    assert mnist(str(two), sources=[], files=FILES).origin == f"folder {two}"


def test_a_named_folder_must_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NwsError, match=r"mnist_dir: .*empty holds no readable train-images-idx3"):
        mnist(str(tmp_path / "empty"), sources=[GOOD], files=FILES)
    monkeypatch.setenv("NWS_MNIST_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(NwsError, match=r"\$NWS_MNIST_DIR: .*nowhere holds no .* or unset"):
        mnist(sources=[GOOD], files=FILES)


def test_wrong_content_in_a_named_folder(tmp_path: Path) -> None:
    named = folder(tmp_path / "mine", ".gz")
    wrong = CONTENTS[FILES[1].name][:-1] + b"\0"
    (named / f"{FILES[1].name}.gz").write_bytes(gzip.compress(wrong))
    with pytest.raises(NwsError, match=r"mnist_dir: .*t10k.*\.gz: wrong content: its sha256 is"):
        mnist(str(named), sources=[GOOD], files=FILES)


def test_fetched_once_then_cached(tmp_path: Path) -> None:
    first = mnist(sources=[failing(OSError("down")), GOOD], files=FILES)
    again = mnist(sources=[], files=FILES)
    assert is_right(first)
    assert is_right(again)
    assert (first.origin, again.origin) == ("good", f"cache {tmp_path / 'cache'}")
    assert sorted(os.listdir(tmp_path / "cache")) == sorted(CONTENTS)  # nothing temporary is left


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:-1] + b"\0"])
def test_a_damaged_cache_is_fetched_again(
    tmp_path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    mnist(sources=[GOOD], files=FILES)
    held = tmp_path / "cache" / FILES[0].name
    held.write_bytes(damage(CONTENTS[held.name]))  # type: ignore[operator]
    assert is_right(mnist(sources=[GOOD], files=FILES))
    assert "fetching it again" in caplog.text
    assert held.read_bytes() == CONTENTS[held.name]


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        found = mnist(cache=tmp_path / "file" / "cache", sources=[GOOD], files=FILES)
    assert is_right(found)
    assert "cannot be cached" in caplog.text


def test_the_usual_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NWS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / name)
    mnist(sources=[GOOD], files=FILES)
    assert (tmp_path / "nws" / FILES[0].name).is_file()


@pytest.mark.parametrize("error", [RuntimeError("no home"), KeyError("uid not found: 54321")])
def test_a_user_without_a_home_has_no_cache(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An arbitrary uid in a container: nothing can say where its home is."""

    def homeless(*_: object) -> None:
        raise error

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("NWS_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pooch.os_cache", homeless)
    with caplog.at_level(logging.WARNING):
        assert is_right(mnist(sources=[GOOD], files=FILES))
    assert "cannot be cached" in caplog.text
    assert "$NWS_CACHE" in caplog.text


def test_other_images_under_mnists_names_are_told_where_they_belong(tmp_path: Path) -> None:
    named = folder(tmp_path / "fashion")
    for file in FILES:
        data = CONTENTS[file.name]
        (named / file.name).write_bytes(data[:16] + bytes(len(data) - 16))
    with pytest.raises(NwsError, match=r"wrong content.*Fashion-MNIST.*np\.savez\('mine\.npz'"):
        mnist(str(named), sources=[], files=FILES)


def test_one_error_lists_everything_tried_and_the_manual_way(tmp_path: Path) -> None:
    wrong = Source("wrong", lambda files: dict.fromkeys(CONTENTS, b"?"))
    sources = [failing(TimeoutError("no answer")), wrong]
    with pytest.raises(NwsError) as caught:
        mnist(sources=sources, files=FILES)
    lines = str(caught.value).splitlines()
    assert lines[1] == "  failing: TimeoutError: no answer"
    assert lines[2].startswith("  wrong: NwsError: train-images-idx3-ubyte: holds only 1 bytes")
    assert "mnist_dir" in lines[3]
    assert "$NWS_MNIST_DIR" in lines[3]
    assert all(name in lines[3] for name in CONTENTS)
    assert not (tmp_path / "cache").exists()


def test_errors_do_not_show_the_passwords_of_an_index() -> None:
    error = ValueError("404 for url: https://me:secret@host/simple/")
    with pytest.raises(NwsError) as caught:
        mnist(sources=[failing(error)], files=FILES)
    assert "https://host/simple/" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_gzip_bomb_is_not_unfolded() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(NwsError, match=f"holds more than {FILES[0].size} bytes"):
        content(bomb, FILES[0], "bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("cut", [2, 5, 12, 100, -20])
def test_a_truncated_gzip_file(cut: int) -> None:
    whole = gzip.compress(CONTENTS[FILES[0].name])
    with pytest.raises(NwsError, match=f"cut: holds only .* bytes, .* has {FILES[0].size}"):
        content(whole[:cut], FILES[0], "cut")


def test_a_damaged_gzip_file() -> None:
    with pytest.raises(NwsError, match="damaged: is not a readable gzip file"):
        content(b"\x1f\x8b" + b"\xff" * 30, FILES[0], "damaged")


def test_the_real_images_if_they_are_here(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.undo()  # the user's own folder and cache
    try:
        found = mnist(sources=[])
    except NwsError:
        if os.environ.get("NWS_MNIST_DIR"):
            raise
        pytest.skip("MNIST is neither in $NWS_MNIST_DIR nor cached")
    assert found.train_images.shape == (60_000, 28, 28)
    assert found.test_images.shape == (10_000, 28, 28)
    assert found.train_images.dtype == np.uint8
    # The mean and the deviation every tutorial normalises MNIST with.
    assert found.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert found.train_images.std() / 255 == pytest.approx(0.3081, abs=5e-5)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_hashes_are_of_what_the_folder_holds(tmp_path: Path, suffix: str) -> None:
    """Right or wrong, so that a data set prepared from other files is known to be another."""
    official = {file.name: file.sha256 for file in FILES}
    assert hashes(None, FILES) == hashes(str(tmp_path / "nowhere"), FILES) == official
    named = folder(tmp_path / "mine", suffix)
    assert hashes(str(named), FILES) == official
    changed = bytes(reversed(CONTENTS[FILES[1].name]))
    path = named / (FILES[1].name + suffix)
    path.write_bytes(gzip.compress(changed) if suffix else changed)
    found = hashes(str(named), FILES)
    assert found[FILES[0].name] == FILES[0].sha256
    assert found[FILES[1].name] == hashlib.sha256(changed).hexdigest()
    path.write_bytes(b"\x1f\x8b torn")
    assert hashes(str(named), FILES)[FILES[1].name] not in official.values()
