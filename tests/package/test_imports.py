"""Which way imports go (docs/architecture.md), read from the source."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "nws"
FILES = sorted(PACKAGE.rglob("*.py"))

# part: parts it must not import. From the bottom up; training may report how far it is.
BOTTOM = {
    "data",
    "models",
    "fisher",
    "algorithms",
    "training",
    "evaluation",
    "planning",
    "reporting",
}
FORBIDDEN = {
    "files": BOTTOM | {"machine", "config"},
    "errors": BOTTOM | {"files", "machine", "config"},
    "machine": BOTTOM | {"config"},
    "models": BOTTOM - {"models"} | {"config"},
    "fisher": BOTTOM - {"fisher"} | {"config"},
    "config": BOTTOM,
    "data": BOTTOM - {"data"},
    "algorithms": BOTTOM - {"algorithms", "models", "fisher"} | {"config"},
    "training": {"planning", "reporting"},
    "evaluation": {"algorithms", "fisher", "training", "planning", "reporting"},
    "planning": {"models", "algorithms", "training", "reporting"},
    "reporting": {"models", "fisher", "algorithms", "training"},
}
ON_TOP = {"benchmark", "cli", "library"}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Imports(ast.NodeVisitor):
    """Names a file imports when it is loaded (``now``) or at any time (``ever``)."""

    def __init__(self) -> None:
        self.now: set[str] = set()
        self.ever: set[str] = set()
        self.depth = 0

    def visit_Import(self, node: ast.Import) -> None:
        self._add(alias.name for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, "imports are absolute"
        assert node.module
        self._add([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_If(self, node: ast.If) -> None:
        if getattr(node.test, "id", "") != "TYPE_CHECKING":
            self.generic_visit(node)

    def _add(self, names) -> None:
        names = set(names)
        self.ever |= names
        self.now |= names if self.depth == 0 else set()


@cache
def imports(path: Path) -> Imports:
    found = Imports()
    found.visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def files_of(module: str) -> list[Path]:
    """The file of a module of nws and those of the packages around it."""
    parts = module.split(".")
    names = [parts[:length] for length in range(1, len(parts) + 1)]
    paths = [PACKAGE.parent.joinpath(*name) for name in names]
    candidates = [c for path in paths for c in (path / "__init__.py", path.with_suffix(".py"))]
    return [path for path in candidates if path.is_file()]


def files_in(part: str) -> list[Path]:
    return [p for p in FILES if p.relative_to(PACKAGE).parts[0] in (part, f"{part}.py")]


def reached_from(part: str, when: str) -> set[str]:
    """All that a part imports, itself or through others, without loading anything."""
    waiting = files_in(part)
    seen, names = set(waiting), set()
    while waiting:
        found = getattr(imports(waiting.pop()), when)
        names |= found
        ours = {f for name in found if name.split(".")[0] == "nws" for f in files_of(name)}
        waiting += ours - seen
        seen |= ours
    return names


def folder_of(path: Path, depth: int) -> str:
    """The folder or module in which a file lies, ``depth`` levels below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[: min(depth, max(1, len(parts) - 1))])


def arrows(depth: int) -> set[tuple[str, str]]:
    """Imports from one folder or module to another, at any time; the front door has none."""
    ours = {path: folder_of(path, depth) for path in FILES if path != PACKAGE / "__init__.py"}
    return {
        (ours[path], ours[other])
        for path in ours
        for name in imports(path).ever
        if name.startswith("nws.")
        for other in files_of(name)[-1:]
        if other in ours and ours[other] != ours[path]
    }


def test_the_house_can_be_drawn_from_memory() -> None:
    found = arrows(depth=1)
    rooms = {room for arrow in found for room in arrow}
    assert 10 < len(rooms) <= 20
    assert 40 < len(found) <= 70


@pytest.mark.parametrize("depth", [1, 3])
def test_imports_of_folders_go_one_way(depth: int) -> None:
    left = arrows(depth)
    while ends := {below for _, below in left} - {above for above, _ in left}:
        left = {arrow for arrow in left if arrow[1] not in ends}
    assert not left, "these import each other in a circle"


@pytest.mark.parametrize("part", FORBIDDEN)
def test_parts_do_not_know_what_is_above_or_beside_them(part: str) -> None:
    assert files_in(part)
    names = {name for path in files_in(part) for name in imports(path).ever}
    known = {name.split(".")[1] for name in names if name.startswith("nws.")}
    assert not known & FORBIDDEN[part]


def test_nothing_imports_what_is_on_top() -> None:
    for top in ON_TOP:
        below = set(FILES) - set(files_in(top))
        users = {module_of(p) for p in below if f"nws.{top}" in imports(p).ever}
        assert all(user.startswith("nws.cli.") for user in users)


def test_only_the_natural_algorithms_use_the_fisher() -> None:
    users = {module_of(p) for p in FILES if any("nws.fisher" in n for n in imports(p).ever)}
    users = {name for name in users if not name.startswith(("nws.fisher", "nws.benchmark"))}
    assert users <= {"nws.algorithms.natural", "nws.training.parts"}  # which chooses the solver


@pytest.mark.parametrize(
    ("part", "when"),
    [
        *((part, "ever") for part in ("config", "errors", "data", "files", "planning")),
        *((part, "ever") for part in ("reporting",)),
        ("cli", "now"),
    ],
)
def test_reading_drawing_and_planning_do_without_tensorflow(part: str, when: str) -> None:
    assert files_in(part)
    tops = {name.split(".")[0] for name in reached_from(part, when)}
    assert not tops & {"tensorflow", "keras"}
