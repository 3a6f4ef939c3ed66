"""The built package: whole, and enough on its own to run the workflow."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import nws
from nws.cli import main
from nws.files.top import TOP

ROOT = Path(__file__).resolve().parents[2]
SITE = next(Path(path) for path in sys.path if path.endswith("site-packages"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that nothing is left in them."""
    copy, out = tmp_path_factory.mktemp("source") / "nws", tmp_path_factory.mktemp("wheel")
    left = shutil.ignore_patterns(".*", "results", "build", "dist", "docs", "tests", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=left)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(out), str(copy)], check=True, timeout=120)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_everything_that_lies_in_the_folders_it_is_made_of(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    code = {p.relative_to(ROOT).as_posix() for p in (ROOT / "nws").rglob("*.py")}
    folders = [*(ROOT / "config", ROOT / "report", ROOT / "workflow"), ROOT / "profiles" / "slurm"]
    files = [ROOT / "Snakefile", ROOT / "environment.yml", ROOT / "profiles/default/config.yaml"]
    files += [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    shown = {f"nws/top/{path.relative_to(ROOT).as_posix()}" for path in files}
    assert len(shown) > 20
    assert not (code | shown | {"nws/py.typed"}) - inside


def test_a_checkout_uses_what_users_see_in_it() -> None:
    assert TOP == ROOT


def test_the_version_is_the_same_everywhere() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert nws.__version__ == cited
    assert f"## {nws.__version__}" in changes


def test_init_writes_over_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "mine"), "--scale", "smoke"]) == 0
    (tmp_path / "mine" / "Snakefile").unlink()
    (tmp_path / "mine" / "config.yaml").write_text("mine")
    capsys.readouterr()
    assert main(["init", str(tmp_path / "mine")]) == 2
    assert "already exists" in capsys.readouterr().err
    assert not (tmp_path / "mine" / "Snakefile").exists()
    assert (tmp_path / "mine" / "config.yaml").read_text() == "mine"


@pytest.mark.slow
def test_from_the_wheel_an_empty_folder_and_an_empty_home_are_enough(
    wheel: Path, tmp_path: Path
) -> None:
    """README's example, ``nws plan``, and the smoke scale to its report."""
    python = environment(tmp_path / "venv", wheel)
    work = tmp_path / "work"
    (tmp_path / "home").mkdir()
    work.mkdir()
    mnist = {k: v for k, v in os.environ.items() if k in ("NWS_MNIST_DIR", "TMPDIR")}
    env = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(tmp_path / "home"), **mnist}

    def run(*command: str, timeout: float = 300) -> str:
        done = subprocess.run(
            command, cwd=work, env=env, capture_output=True, text=True, timeout=timeout
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = run(str(python), "-c", "import nws; print(nws.__file__)")
    assert Path(where.strip()).is_relative_to(tmp_path / "venv")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.search(r"## As a library\n\n```python\n(.*?)```", readme, re.DOTALL)
    assert example
    likelihood = float(run(str(python), "-c", example[1]))
    assert -196 < likelihood < -130  # noise: 196 ln 2 = 136 nats an image, at best
    assert (work / "model.npz").is_file()
    assert "training runs" in run("nws", "plan")

    run("nws", "init", ".", "--scale", "smoke")
    run(str(python), "-m", "snakemake", "--cores", "2", timeout=1800)
    report = (work / "results" / "smoke" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report or "data:image" in report
    trained = next(work.glob("results/smoke/runs/*/*/*/training.json"))
    assert json.loads(trained.read_text())["commit"] is None  # of nobody's checkout


def environment(folder: Path, wheel: Path) -> Path:
    """The Python of a new environment: the wheel's nws, and the other packages of this one."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-index", str(wheel)], check=True, timeout=120)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "others.pth").write_text(f"{SITE}\n")  # read as a path: its own .pth files are not
    return python
