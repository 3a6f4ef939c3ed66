"""The workflow: what it would do, what it refuses, and what it really does."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest

from nws import config as cfg
from nws.files import starter
from nws.reporting import figures, tables

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ["--configfile", str(ROOT / "config" / "smoke.yaml")]


def snakemake(
    folder: Path,
    *args: str,
    timeout: float = 300,
    env: dict[str, str] | None = None,
    snakefile: Path = ROOT / "Snakefile",
) -> subprocess.CompletedProcess[str]:
    """Run the project's workflow, or another one, in a folder of its own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    return subprocess.run(
        [*command, "--directory", str(folder), *args],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / ".cache"), **(env or {})},
    )


def jobs(shown: str) -> dict[str, int]:
    """The table of jobs that a dry run ends with."""
    table = shown.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w\S*) +(\d+)$", table, re.M)}


def processor_seconds() -> float:
    """What the processes started here have used; unlike the clock, whatever else runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_folder_of_nws_init_runs_its_own_configuration(tmp_path: Path) -> None:
    starter.init(tmp_path, "smoke")
    command = [sys.executable, "-m", "snakemake", "-n"]
    for more, scale in (([], "smoke"), (["--config", "scale=other"], "other")):
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        said = done.stdout + done.stderr
        assert f"results/{scale}/report.html" in said
        assert "results/paper" not in said


def test_trainings_of_others_are_not_counted(tmp_path: Path) -> None:
    """Neither a file of the user's own nor the runs of a further module."""
    starter.init(tmp_path, "smoke")
    with (tmp_path / "Snakefile").open("a") as stream:
        stream.write('rule own:\n    output: "x/training.json"\n    shell: "touch {output}"\n')
    done = snakemake(tmp_path, "--cores", "1", "own", snakefile=tmp_path / "Snakefile")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Scale smoke: 0 of " in done.stderr


def test_a_dry_run_lists_every_job(tmp_path: Path) -> None:
    done = snakemake(tmp_path, "-n", *SMOKE)
    assert done.returncode == 0, done.stderr
    found = jobs(done.stdout + done.stderr)
    once = ["report", *tables.NAMES, *figures.NAMES]
    assert [found[name] for name in once] == [1] * len(once)
    config = cfg.load(Path(SMOKE[1]))
    assert (found["prepare"], found["train"], found["evaluate"]) == (len(config.datasets), 3, 3)
    shared = {re.sub(r"^train_|_\d+_seed\d+$", "", name) for name in found if "train_" in name}
    assert shared == {name for name, one in config.experiments.items() if one.share > 1}
    assert not list(tmp_path.glob("results/**/*.json"))


@pytest.mark.parametrize(
    ("target", "trains"),
    [
        ("fig6", {"train_damping_0_seed0"}),
        ("table2", {"train", "train_others_0_seed0"}),
        ("fig1", set()),
    ],
)
def test_a_figure_or_table_by_name_makes_what_it_needs(
    target: str, trains: set[str], tmp_path: Path
) -> None:
    done = snakemake(tmp_path, "-n", target, *SMOKE)
    assert done.returncode == 0, done.stderr
    found = jobs(done.stdout + done.stderr)
    assert found[target] == 1
    assert {name for name in found if name.startswith("train")} == trains
    assert "report" not in found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sede=[1]", "configuration.sede: unknown key (did you mean 'seeds'?)"),
        ("seeds=[one]", "configuration.seeds.0: found 'one'"),
        ("experiments={mnist: {settings: {epoch: 3}}}", "did you mean 'epochs'"),
        ("extends=quik", "did you mean 'quick'"),
        ("experiments={mnist: {runs: {'$(touch x)': {}}}}", "experiments.mnist"),
    ],
)
def test_mistakes_are_refused_when_the_workflow_is_read(
    change: str, said: str, tmp_path: Path
) -> None:
    done = snakemake(tmp_path, "-n", *SMOKE, "--config", change)
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert said in shown
    assert "Traceback" not in shown
    assert len(shown.splitlines()) < 12


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "data/minimnst_b.npz",
            "no data set 'minimnst_b' (did you mean 'minimnist_b'?); available:",
        ),
        (
            "runs/mnist/wss/seed0/model.npz",
            "no run 'wss' in experiment 'mnist' (did you mean 'ws'?)",
        ),
    ],
)
def test_results_that_nothing_makes_are_explained(target: str, said: str, tmp_path: Path) -> None:
    done = snakemake(tmp_path, "-n", f"results/smoke/{target}", *SMOKE)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_what_cannot_begin_is_said_without_a_traceback(tmp_path: Path) -> None:
    """Images of which the plan, at the start, cannot tell the number."""
    np.savez(tmp_path / "letters.npz", other=np.eye(3))
    (tmp_path / "mine.yaml").write_text(
        "extends: smoke\ndatasets: {letters: {source: letters.npz}}\n"
        "experiments: {damping: {settings: {dataset: letters}}}\n"
    )
    given = ["--cores", "1", "fig6", "--configfile", str(tmp_path / "mine.yaml")]
    done = snakemake(tmp_path, *given)
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert "WorkflowError" in shown
    assert "letters.npz: holds no images" in shown
    assert "nws/planning" not in shown


def test_a_file_takes_away_what_the_one_before_it_brought(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("extends: smoke\nexperiments: {mine: {runs: {a: {}}}, adam: null}\n")
    second.write_text("experiments: {mine: null, adam: {runs: {one: {layers: [2]}}}}\n")
    done = snakemake(tmp_path, "-n", "--configfile", str(first), str(second))
    assert done.returncode == 0, done.stdout + done.stderr
    asked = re.findall(r"results/smoke/runs/(mine|adam)/(\w+)/", done.stdout + done.stderr)
    assert set(asked) == {("adam", "one")}


def test_seeds_from_the_command_line_are_numbers(tmp_path: Path) -> None:
    done = snakemake(tmp_path, "-n", "table2", *SMOKE, "--config", "seeds=[4,5]")
    assert jobs(done.stdout + done.stderr)["train"] == 6


def test_a_grid_of_500_runs_is_planned_in_seconds(tmp_path: Path) -> None:
    rates, dampings = ([float(n) for n in range(1, top)] for top in (26, 21))
    (tmp_path / "wide.yaml").write_text(
        "extends: smoke\nexperiments:\n  grid_mnist:\n    share: 1\n"
        f"    grid: {{learning_rate: {rates}, damping: {dampings}}}\n"
    )
    before = processor_seconds()
    done = snakemake(tmp_path, "-n", "fig8", "--configfile", str(tmp_path / "wide.yaml"))
    spent = processor_seconds() - before
    assert jobs(done.stdout + done.stderr)["train"] == 500
    assert spent < 20  # it takes 10 beside other work


def test_lint_is_clean() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_part_is_made_once_and_made_again_when_it_changes(tmp_path: Path) -> None:
    changed = ["--config", "experiments={damping: {settings: {epochs: 3}}}"]
    first = snakemake(tmp_path, "--cores", "2", "fig6", *SMOKE)
    assert first.returncode == 0, first.stderr
    assert re.search(r": 3 of \d+ training runs to do", first.stderr)
    made = {path.name for path in (tmp_path / "results/smoke/figures").iterdir()}
    assert made >= {"fig6.svg", "fig6.png", "fig6.csv"}
    logs = {
        str(path.relative_to(tmp_path)) for path in tmp_path.glob("results/smoke/logs/**/*.log")
    }
    assert "results/smoke/logs/train/damping_0_seed0.log" in logs
    again = snakemake(tmp_path, "-n", "fig6", *SMOKE)
    assert "Nothing to be done" in again.stdout + again.stderr
    third = snakemake(tmp_path, "-n", "fig6", *SMOKE, *changed)
    assert set(jobs(third.stdout + third.stderr)) == {"train_damping_0_seed0", "fig6"}


def test_the_shipped_profile_is_found_beside_the_snakefile(tmp_path: Path) -> None:
    done = snakemake(tmp_path, "-n", "fig1", *SMOKE)
    assert "profiles/default" in done.stderr
    text = (ROOT / "profiles/default/config.yaml").read_text()
    assert "rerun-incomplete: true" in text
    assert not re.search(r"^(cores|jobs|resources|executor|gpu)", text, re.M)


def test_snakemake_is_the_one_of_this_environment() -> None:
    assert shutil.which("snakemake", path=str(Path(sys.executable).parent))


@pytest.mark.slow
def test_snakemakes_own_report_shows_what_was_made(tmp_path: Path) -> None:
    made = snakemake(tmp_path, "--cores", "1", "fig1", *SMOKE)
    assert made.returncode == 0, made.stderr
    page = tmp_path / "snakemake.html"
    done = snakemake(tmp_path, "fig1", *SMOKE, "--report", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "The Fisher matrix of a small network, computed" in text
    assert "Made alone by" in text
    assert "data:image/png" in text


def test_a_key_given_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    """Snakemake's own parser would take the last."""
    path = tmp_path / "twice.yaml"
    path.write_text("extends: smoke\nseeds: [1]\nseeds: [2]\n")
    done = snakemake(tmp_path, "-n", "--configfile", str(path))
    assert done.returncode != 0
    assert f"{path}: line 3: 'seeds' is given in line 2, too" in done.stdout + done.stderr


@pytest.mark.parametrize("where", ["images/letters.npz", "~/letters.npz", "le{tt}ers {.npz"])
def test_images_are_found_beside_the_configuration(where: str, tmp_path: Path) -> None:
    """Wherever the workflow runs, at home, and whatever their name."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"extends: smoke\nscale: mine\ndatasets: {{letters: {{source: '{where}'}}}}\n"
        "experiments: {letters: {settings: {dataset: letters}, runs: {a: {}}}}\n"
    )
    images = Path(where.replace("~", str(tmp_path)))
    images = tmp_path / images
    images.parent.mkdir(exist_ok=True)
    np.savez(images, images=np.eye(20, 16))
    (tmp_path / "work").mkdir()
    target = "results/mine/data/letters.npz"
    given = ["--cores", "1", target, "--configfile", str(path)]
    done = snakemake(tmp_path / "work", *given, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "work" / target).is_file()


def test_a_job_elsewhere_gets_what_it_was_scheduled_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the workflow again, whose files may say something else by then."""
    scheduled = cfg.resolve({"extends": "smoke", "datasets": {"threebythree": {"train": 180}}})
    monkeypatch.setenv(cfg.CARRIED, cfg.pack(scheduled))
    job = ["--mode", "remote", "--target-jobs", "prepare:dataset=threebythree"]
    where = ["--cores", "1", "--nolock", "--allowed-rules", "prepare"]
    done = snakemake(tmp_path, *job, *where, *SMOKE)
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "results/smoke/data/threebythree.json").read_text())
    assert made["counts"]["train"] == 180


def test_images_overwritten_under_their_name_are_prepared_again(tmp_path: Path) -> None:
    """However old the file says it is."""
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "extends: smoke\ndatasets:\n  letters: {source: letters.npz}\nexperiments:\n"
        "  letters: {settings: {dataset: letters, layers: [2]}, runs: {ws: {algorithm: ws}}}\n"
    )
    target = "results/smoke/data/letters.npz"
    shown = []
    for variant in (0, 0, 1):
        images = np.random.default_rng(variant).integers(0, 2, (20, 4), dtype=np.uint8)
        np.savez(tmp_path / "letters.npz", images=images)
        os.utime(tmp_path / "letters.npz", (1e9, 1e9))
        dry = [] if not shown else ["-n"]
        done = snakemake(tmp_path, "--cores", "1", *dry, target, "--configfile", str(mine))
        assert done.returncode == 0, done.stderr
        shown.append(done.stdout + done.stderr)
    assert "Nothing to be done" in shown[1]
    assert jobs(shown[2]) == {"prepare": 1}


def test_jobs_are_told_their_threads(tmp_path: Path) -> None:
    for given, threads in (
        (["--cores", "1"], 1),
        (["--cores", "4", "--set-threads", "train=3"], 3),
    ):
        done = snakemake(tmp_path, "-n", "-p", "table2", *given, *SMOKE)
        assert done.returncode == 0, done.stderr
        shown = done.stdout + done.stderr
        assert set(re.findall(r"nws.cli train mnist/.* --threads (\d+)", shown)) == {str(threads)}


@pytest.mark.parametrize(
    ("cores", "alone", "shared"),
    [("1", 1, 1), ("2", 1, 2), ("4", 1, 4), ("8", 2, 8), ("64", 2, 8)],
)
def test_jobs_get_their_part_of_the_cores(
    tmp_path: Path, cores: str, alone: int, shared: int
) -> None:
    """Three runs in jobs of their own, and four in one job."""
    done = snakemake(tmp_path, "-n", "-p", "table2", "fig8", "--cores", cores, *SMOKE)
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    assert set(re.findall(r"nws.cli train mnist/.* --threads (\d+)", shown)) == {str(alone)}
    assert set(re.findall(r"nws.cli train grid_mnist/.* --threads (\d+)", shown)) == {str(shared)}


def test_the_readme_names_targets_before_configuration_files() -> None:
    """``--configfile`` takes every word up to the next option."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^snakemake .*?(?=  +#|$)", text, re.M)
    given = [
        words.split("--configfile ")[1].split() for words in commands if "--configfile" in words
    ]
    files = [word for words in given for word in takewhile(lambda w: not w.startswith("-"), words)]
    assert files
    written = re.findall(r"> ([\w.]+)", text)
    assert all((ROOT / file).is_file() or file in written for file in files)
    assert "snakemake --cores 4 fig3 --configfile config/quick.yaml" in commands


OTHER = """
module n:
    snakefile:
        "{snakefile}"
    config:
        config["nws"]
    {prefix}


use rule * from n as n_*


rule mine:
    input:
        "{where}results/mine/figures/fig1.svg",
        "{where}results/mine/data/letters.npz",
    output:
        "mine.txt",
    shell:
        "ls {{input}} > {{output}}"
"""


@pytest.mark.parametrize("prefix", ["", "sub"])
def test_a_module_of_another_workflow(prefix: str, tmp_path: Path) -> None:
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(
        OTHER.format(
            snakefile=ROOT / "Snakefile",
            prefix=f'prefix:\n        "{prefix}"' if prefix else "",
            where=f"{prefix}/" if prefix else "",
        )
    )
    (tmp_path / "other.yaml").write_text(
        "nws:\n  extends: smoke\n  scale: mine\n  datasets: {letters: {source: mine.npz}}\n"
    )
    np.savez(tmp_path / "mine.npz", images=np.eye(20, 16))
    given = ["--configfile", str(tmp_path / "other.yaml")]
    dry = snakemake(tmp_path, "-n", "n_all", *given, snakefile=snakefile)
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert {"n_report", "n_train", "n_fig3"} <= jobs(dry.stdout + dry.stderr).keys()
    done = snakemake(tmp_path, "--cores", "1", "mine", *given, snakefile=snakefile)
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / prefix / "results" / "mine"
    assert (made / "figures" / "fig1.png").is_file()
    assert json.loads((made / "data" / "letters.json").read_text())["counts"]["train"] == 16


TWO = """
module a:
    snakefile:
        "{snakefile}"
    config:
        dict(extends="smoke", scale="one", datasets=dict(threebythree=dict(train=162)))


use rule * from a as a_*


module b:
    snakefile:
        "{snakefile}"
    config:
        dict(extends="smoke", scale="two", datasets=dict(threebythree=dict(train=180)))


use rule * from b as b_*


rule mine:
    default_target: True
    input:
        expand("results/{{scale}}/data/threebythree.npz", scale=["one", "two"]),
    output:
        "plan.txt",
        "done.txt",
    shell:
        "{python} -m nws.cli plan > {{output[0]}}; echo done > {{output[1]}}"
"""


def test_two_modules_of_another_workflow_and_a_rule_of_its_own(tmp_path: Path) -> None:
    """Each module's jobs have its own configuration; what is not theirs has none of them."""
    snakefile = tmp_path / "Snakefile"
    snakefile.write_text(TWO.format(snakefile=ROOT / "Snakefile", python=sys.executable))
    done = snakemake(tmp_path, "--cores", "1", snakefile=snakefile)
    assert done.returncode == 0, done.stdout + done.stderr
    for scale, images in (("one", 162), ("two", 180)):
        made = json.loads((tmp_path / f"results/{scale}/data/threebythree.json").read_text())
        assert made["counts"]["train"] == images
    assert "paper" in (tmp_path / "plan.txt").read_text()
    assert (tmp_path / "done.txt").is_file()


MODULE = """
module {name}:
    snakefile:
        "{snakefile}"
    prefix:
        "{name}"
    config:
        dict(extends="smoke", scale="mine", seeds=[{seed}])


use rule * from {name} as {name}_*
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_two_modules_of_one_scale_need_one_configuration(seed: int, tmp_path: Path) -> None:
    """Each has a folder of its own, but a job is given its configuration by the scale alone."""
    parts = [
        MODULE.format(snakefile=ROOT / "Snakefile", name=n, seed=s)
        for n, s in (("a", 0), ("b", seed))
    ]
    (tmp_path / "Snakefile").write_text("\n".join(parts))
    done = snakemake(tmp_path, "-n", "a_fig1", "b_fig1", snakefile=tmp_path / "Snakefile")
    shown = done.stdout + done.stderr
    refused = "scale: found 'mine' in two modules with different configurations; give each a scale"
    assert (done.returncode != 0) == (refused in shown) == (seed != 0), shown


def test_a_report_that_was_written_by_hand_is_not_all(tmp_path: Path) -> None:
    """`nws report` writes one of what is there, which may be nothing."""
    command = [sys.executable, "-m", "nws.cli", "report", "--config", str(SMOKE[1])]
    written = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert written.returncode == 0, written.stderr
    assert "runs are missing" in written.stderr
    assert "snakemake --cores 4 report --forcerun report --configfile" in written.stderr
    dry = snakemake(tmp_path, "-n", *SMOKE)
    assert {"train", "report"} <= jobs(dry.stdout + dry.stderr).keys()
