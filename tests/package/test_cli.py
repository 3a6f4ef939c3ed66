"""The command line: helpful, quick, and honest about mistakes."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
from fake_results import write

from nws import cli
from nws import config as cfg
from nws.cli.asked import with_threads
from nws.data import store
from nws.files import layout
from nws.files.whole import write_text
from nws.planning import plan
from nws.reporting import results

ROOT = Path(__file__).resolve().parents[2]
SMOKE = str(ROOT / "config" / "smoke.yaml")
COMMANDS = ["prepare", "train", "evaluate", "figure", "table", "choose", "report", "verify", "plan"]

WHOLE = dict.fromkeys(results.REQUIRED, 1.0) | {"status": "finished", "evaluation_seconds": 1.0}


def run(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nws.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_is_immediate() -> None:
    elapsed = []
    for _ in range(3):  # the machine may be busy: the quickest counts
        start = time.perf_counter()
        done = run("--help")
        elapsed.append(time.perf_counter() - start)
    assert done.returncode == 0
    assert all(command in done.stdout for command in COMMANDS)
    assert min(elapsed) < 0.5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert f"Example: nws {command}" in " ".join(shown.split())
    assert "--config" in shown
    assert "--results" in shown


@pytest.mark.parametrize(
    "statement",
    [
        "import nws",
        "import nws.cli; nws.cli.parser()",
        "import nws.reporting.figures, nws.reporting.tables, nws.reporting.page.report",
    ],
)
def test_tensorflow_is_not_loaded(statement: str) -> None:
    assert not modules_after(statement) & {"tensorflow", "keras"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["train", "mnits/ws", "--config", SMOKE], "did you mean 'mnist'"),
        (["train", "mnist/wsw", "--config", SMOKE], "did you mean 'ws'"),
        (["evaluate", "mnist/none", "--config", SMOKE], "no run 'none'"),
        (["prepare", "mnist", "--config", SMOKE], "no data set 'mnist'"),
        (["plan", "--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["figure", "fig33", "--config", SMOKE], "fig33"),
        (["table", "table9", "--config", SMOKE], "table9"),
    ],
)
def test_mistakes_end_with_one_message_and_status_2(
    args: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(args) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.startswith("nws: ")
    assert "Traceback" not in shown.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["trian"])
    assert end.value.code == 2


def test_prepare_writes_a_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prepare", "threebythree", "--config", SMOKE, "--results", str(tmp_path)]) == 0
    path = tmp_path / "data" / "threebythree.npz"
    assert capsys.readouterr().out.strip() == str(path)
    assert path.is_file()
    assert path.with_suffix(".json").is_file()


def test_a_figure_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind, name in (("figure", "fig3"), ("table", "table1")):
        assert cli.main([kind, name, "--config", SMOKE, "--results", str(tmp_path)]) == 0
        said = capsys.readouterr().err
        assert f"{name}: 6 of its 6 runs are missing" in said
        assert f"nws train minimnist --evaluate --config {SMOKE} --results {tmp_path} (" in said
        assert "the workflow trains into results/smoke" in said
    cfg.write(cfg.load(SMOKE), tmp_path)
    assert cli.main(["figure", "fig3", "--results", str(tmp_path)]) == 0
    assert f"--config {tmp_path}/config.json --results {tmp_path} (" in capsys.readouterr().err


def test_a_figure_of_nothing_says_how_the_workflow_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It alone, of the configuration that it was asked for with; where the workflow puts it."""
    monkeypatch.chdir(tmp_path)
    command = "to train them: snakemake --cores 4 fig3 --forcerun fig3 --configfile"
    for where in ([], ["--results", str(tmp_path / "results/smoke")]):
        assert cli.main(["figure", "fig3", "--config", SMOKE, *where]) == 0
        assert f"{command} {SMOKE}\n" in capsys.readouterr().err
    cfg.write(cfg.load(SMOKE), Path("results/smoke"))
    assert cli.main(["figure", "fig3", "--results", "results/smoke"]) == 0
    assert f"{command} results/smoke/config.json\n" in capsys.readouterr().err


def test_results_without_a_configuration_are_made_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the configuration with them, as they are read; by the paper's where there is none."""
    where = ["--results", str(tmp_path)]
    assert cli.main(["plan", *where]) == 0
    assert "Scale paper" in capsys.readouterr().out
    small = cfg.load(SMOKE)
    before = cfg.write(small, tmp_path).read_bytes()
    assert cli.main(["plan", "--write", *where]) == 0
    assert "Scale smoke" in capsys.readouterr().out
    assert (tmp_path / "config.json").read_bytes() == before
    assert cli.main(["prepare", "threebythree", *where]) == 0
    made = json.loads((tmp_path / "data" / "threebythree.json").read_text())
    assert made["counts"]["train"] == small.datasets["threebythree"].train
    assert cli.main(["plan", "--config", str(ROOT / "config/quick.yaml"), *where]) == 0
    assert "Scale quick" in capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_under_standard_output_is_said_in_one_line() -> None:
    command = [sys.executable, "-m", "nws.cli", "plan", "--config", SMOKE]
    with open("/dev/full", "w") as full:
        for buffered in ({"PYTHONUNBUFFERED": "1"}, {"PYTHONUNBUFFERED": ""}):
            env = {**os.environ, **buffered}
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env)
            assert done.returncode == 1
            assert done.stderr.startswith("nws: standard output: No space left on device; ")
            assert len(done.stderr.splitlines()) == 1


def test_init_says_what_the_shell_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", str(tmp_path / "my proj")]) == 0
    assert f"Next: cd '{tmp_path}/my proj'; snakemake" in capsys.readouterr().out


def test_what_is_chosen_extends_the_configuration_of_the_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path, missing=["race_search/rws_lr0.05"])
    assert cli.main(["choose", "--results", str(root)]) == 0
    chosen = tmp_path / "chosen.yaml"
    told = capsys.readouterr()
    chosen.write_text(told.out)
    assert cfg.read(chosen)["extends"] == str(root / "config.json")
    assert cfg.load(chosen).scale == cfg.load(root / "config.json").scale
    assert told.err.startswith("left out, because no run of their search has ended")
    assert "race_search_long/rws_2" in told.err


def test_nothing_to_choose_from_is_no_choice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg.write(cfg.load(SMOKE), tmp_path)
    assert cli.main(["choose", "--results", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    said = "nws train race_search --evaluate, with the same --config and --results"
    assert said in told.err


def test_plan_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["plan", "--config", SMOKE, "--results", str(tmp_path)]
    assert cli.main(args) == 0
    shown = capsys.readouterr().out
    count = len(cfg.runs(cfg.load(Path(SMOKE))))
    assert f"{count} of {count} training runs" in shown
    assert "CPU" in shown
    assert "oughly" in shown
    assert not list(tmp_path.iterdir())
    assert cli.main([*args, "--write"]) == 0
    assert cfg.load(tmp_path / "config.json") == cfg.load(Path(SMOKE))
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def planned(config: cfg.Config, root: Path) -> plan.Plan:
    """As ``nws plan`` does."""
    return plan.plan(config, results.Results(root, config).left())


def test_plan_counts_what_is_left(tmp_path: Path) -> None:
    config = cfg.load(Path(SMOKE))
    folder = tmp_path / "runs" / "mnist" / "ws" / "seed0"
    folder.mkdir(parents=True)
    made = cfg.find_run(config, "mnist", "ws").settings.model_dump()
    for scored in ({"seed": 0}, {"seed": 0, "settings": made | {"epochs": made["epochs"] + 1}}):
        (folder / "metrics.json").write_text(json.dumps(scored))
        assert planned(config, tmp_path).left["mnist"] == 3  # of other settings
    whole = WHOLE | {"seed": 0, "settings": made}
    (folder / "metrics.json").write_text(json.dumps(whole))
    found = planned(config, tmp_path)
    assert (found.runs["mnist"], found.left["mnist"]) == (3, 2)
    other = {**made, "likelihood_samples": made["likelihood_samples"] + 1}
    (folder / "metrics.json").write_text(json.dumps(whole | {"settings": other}))
    assert planned(config, tmp_path).left["mnist"] == 3
    (folder / "metrics.json").write_text(json.dumps(whole))
    assert planned(config, tmp_path).left["mnist"] == 2
    assert found.left["adam"] == found.runs["adam"]
    everything = plan.plan(config)
    assert len(found.work["mnist"]) < len(everything.work["mnist"])
    assert found.overhead["mnist"] < everything.overhead["mnist"]


def test_a_plan_knows_data_sets_that_would_be_made_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what was prepared, or else by what the run was trained on; compared once."""
    asked = []
    changed = results.changed
    monkeypatch.setattr(results, "changed", lambda *all: asked.append(all) or changed(*all))
    config = tiny.resolve()
    run = tiny.prepare(config, tmp_path)
    about = store.load_provenance(layout.data_file(tmp_path, "3by3"))
    metrics = WHOLE | {"seed": 0, "settings": run.settings.model_dump(), "dataset": about}
    path = layout.run_folder(tmp_path, "tiny", "one", 0) / "metrics.json"
    write_text(path, json.dumps(metrics))
    assert planned(config, tmp_path).left == {"tiny": 0}
    two = cfg.merge(config.model_dump(), {"experiments": {"tiny": {"seeds": [0, 1]}}})
    write_text(Path(str(path).replace("seed0", "seed1")), json.dumps({**metrics, "seed": 1}))
    asked.clear()
    assert planned(cfg.resolve(two), tmp_path).left == {"tiny": 0}
    assert len(asked) == 1
    assert planned(tiny.resolve(count=180), tmp_path).left == {"tiny": 1}
    shutil.rmtree(tmp_path / "data")
    assert planned(config, tmp_path).left == {"tiny": 0}
    assert planned(tiny.resolve(count=180), tmp_path).left == {"tiny": 1}


def test_the_estimate_grows_with_the_work() -> None:
    paper, quick = (cfg.load(ROOT / "config" / f"{s}.yaml") for s in ("paper", "quick"))
    ws, nrws = (cfg.find_run(paper, "mnist", run) for run in ("ws", "nrws"))
    assert plan.seconds(paper, ws, 1e10) < plan.seconds(paper, nrws, 1e10)
    assert plan.seconds(quick, ws, 1e10) < plan.seconds(paper, ws, 1e10)
    assert plan.calibrate(0.01) > 1e8


def test_a_budget_bounds_the_estimate() -> None:
    changes = {"experiments": {"mnist": {"settings": {"budget": 60, "likelihood_samples": 0}}}}
    config = cfg.resolve(changes)
    run = cfg.find_run(config, "mnist", "nrws")
    assert plan.cost(config, run).seconds(1e10) == 60
    assert plan.cost(config, run).seconds(1e30) < 1  # the epochs end before


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, "5 s"), (600, "10 min"), (7200, "2.0 h"), (864_000, "10 days")]
)
def test_durations_are_readable(seconds: float, said: str) -> None:
    assert plan.duration(seconds) == said


def test_the_device_is_told_without_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CPU" in plan.device("cpu")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "no GPU found" in plan.device("auto")
    assert "none found" in plan.device("gpu")


@pytest.mark.slow
def test_a_run_is_trained_and_evaluated_without_snakemake(tmp_path: Path) -> None:
    args = ["--config", SMOKE, "--results", str(tmp_path)]
    done = run("train", "damping/vanilla", "--evaluate", *args)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "runs/damping/vanilla/seed0").iterdir()}
    assert made >= {"history.csv", "model.npz", "training.json", "metrics.json", "samples.npz"}


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("--seed", "-1", 0), ("--seed", "1.5", 0), ("--threads", "0", 1), ("--threads", "x", 1)],
)
def test_options_are_whole_numbers(
    option: str, value: str, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["train", "mnist/ws", option, value])
    assert end.value.code == 2
    said = f"argument {option}: found '{value}'; give a whole number, at least {least}"
    assert said in capsys.readouterr().err


def test_a_job_uses_the_threads_it_is_given(tmp_path: Path) -> None:
    """And says so; what it writes is the same."""
    made = []
    for threads in ("1", "2"):
        root = tmp_path / threads
        root.mkdir()
        (root / "tiny.json").write_text(cfg.dump(tiny.resolve(epochs=2)))
        where = ["--config", str(root / "tiny.json"), "--results", str(root)]
        done = run("train", "tiny/one", "--threads", threads, *where)
        assert done.returncode == 0, done.stderr
        about = json.loads((root / "runs/tiny/one/seed0/training.json").read_text())
        assert about["machine"]["threads"] == int(threads)
        made.append(tiny.results(root))
    assert made[0] == made[1]


def test_a_job_alone_on_its_machine_uses_the_threads_configured() -> None:
    config = cfg.load(Path(SMOKE))
    alone = {"experiments": {"mnist": {"alone": True}}, "extends": "smoke"}
    for given, threads in ((config, 8), (cfg.resolve(alone), 2)):
        assert with_threads(given, 8).experiments["mnist"].threads == threads
        assert with_threads(given, 1).experiments["mnist"].threads == 1
    assert with_threads(config, None) == config
