"""What is public says what it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Definition = ast.FunctionDef | ast.ClassDef


def public(body: list[ast.stmt]) -> Iterator[Definition]:
    """Functions, classes and their methods whose names begin with no underscore."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            yield from public(node.body) if isinstance(node, ast.ClassDef) else ()


def silent(files: list[Path]) -> tuple[list[str], int]:
    """Those without a docstring, and how many there are in all."""
    found = [(p, n) for p in files for n in public(ast.parse(p.read_text(encoding="utf-8")).body)]
    return [f"{p.name}: {n.name}" for p, n in found if not ast.get_docstring(n)], len(found)


@pytest.mark.parametrize(
    ("pattern", "share"), [("nws/**/*.py", 0.9), ("tests/*.py", 0.9), ("tools/*.py", 0.9)]
)
def test_what_is_public_has_a_docstring(pattern: str, share: float) -> None:
    without, count = silent(sorted(ROOT.glob(pattern)))
    assert count > 5
    assert len(without) <= (1 - share) * count, without


def test_every_file_says_what_it_is_for() -> None:
    files = [*ROOT.glob("nws/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("tools/*.py")]
    assert len(files) > 100
    bare = [p.name for p in files if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert not bare
