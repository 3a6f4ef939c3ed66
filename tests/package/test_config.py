"""Configuration: scales resolve, mistakes are refused with their path and what is allowed."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nws import config as cfg
from nws.errors import NwsError

ROOT = Path(__file__).resolve().parents[2]
SCALES = ["paper", "quick", "smoke"]


def scale(name: str) -> cfg.Config:
    return cfg.load(ROOT / "config" / f"{name}.yaml")


def tiny(**changes: Any) -> dict[str, Any]:
    """A small configuration that stands on its own, with changes."""
    base = {
        "extends": None,
        "datasets": {"minimnist_b": {"source": "minimnist"}},
        "experiments": {"one": {"settings": {"epochs": 1}, "runs": {"a": {}}}},
    }
    return cfg.merge(base, changes)


def refusal(content: dict[str, Any]) -> str:
    with pytest.raises(NwsError) as error:
        cfg.resolve(content)
    return str(error.value)


@pytest.mark.parametrize("name", SCALES)
def test_shipped_scales_resolve(name: str) -> None:
    config = scale(name)
    assert config.scale == name
    assert len(cfg.runs(config)) == len({(run.experiment, run.name) for run in cfg.runs(config)})


def test_paper_is_the_default() -> None:
    assert cfg.load() == scale("paper")
    assert cfg.resolve({}) == scale("paper")


@pytest.mark.parametrize("name", ["quick", "smoke"])
def test_scales_differ_in_numbers_only(name: str) -> None:
    paper, small = scale("paper"), scale(name)
    races = {key for key in paper.experiments if key.startswith("race")}
    assert [key for key in small.experiments if key not in races] == [
        key for key in paper.experiments if key not in races
    ]
    assert {key: (d.source, d.binarization) for key, d in small.datasets.items()} == {
        key: (d.source, d.binarization) for key, d in paper.datasets.items()
    }
    for key, experiment in small.experiments.items():
        theirs = paper.experiments[key]
        assert list(experiment.grid) == list(theirs.grid)
        if key in races:  # with fewer rivals
            assert set(experiment.runs) <= set(theirs.runs)
            assert set(experiment.grids) <= set(theirs.grids)
            assert kinds(small, key) <= kinds(paper, key)
        else:
            assert list(experiment.runs) == list(theirs.runs)
            assert kinds(small, key) == kinds(paper, key)


def kinds(config: cfg.Config, experiment: str) -> set[tuple[str, ...]]:
    """What decides the code that the runs of an experiment execute."""
    found = [run.settings for run in cfg.runs(config) if run.experiment == experiment]
    names = ("dataset", "algorithm", "optimizer", "solver", "gradient_convention", "coding")
    return {tuple(getattr(settings, name) for name in names) for settings in found}


def test_paper_has_the_settings_of_table_1() -> None:
    paper = scale("paper")
    run = cfg.find_run(paper, "minimnist", "nrws_b").settings
    assert (run.learning_rate, run.damping, run.refresh, run.samples) == (0.002, 0.05, 50, 10)
    assert run.layers == [100, 50, 20, 10, 10]
    assert (run.epochs, run.clip, run.batch, run.likelihood_samples) == (500, 1e-3, 32, 10_000)
    assert len([r for r in cfg.runs(paper) if r.experiment == "grid_minimnist"]) == 100


def test_dump_reads_back(tmp_path: Path) -> None:
    for name in SCALES:
        path = tmp_path / f"{name}.json"
        path.write_text(cfg.dump(scale(name)))
        assert cfg.load(path) == scale(name)
        assert cfg.dump(cfg.load(path)) == path.read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sede": [1]}, ["configuration.sede", "unknown key", "'seeds'"]),
        ({"seeds": [1, 1]}, ["configuration.seeds", "differ"]),
        ({"seeds": []}, ["configuration.seeds"]),
        ({"seeds": [-1]}, ["configuration.seeds.0", "-1"]),
        ({"seeds": ["four"]}, ["configuration.seeds.0", "'four'"]),
        ({"device": "tpu"}, ["configuration.device", "'auto', 'cpu' or 'gpu'"]),
        ({"scale": "../up"}, ["configuration.scale", "../up"]),
        ({"datasets": {"a/b": {"source": "mnist"}}}, ["a/b"]),
        ({"datasets": {"d": {"sourec": "mnist"}}}, ["datasets.d.sourec", "'source'"]),
        ({"datasets": {"d": {}}}, ["datasets.d.source", "missing"]),
        ({"experiments": {"one": {"setings": {}}}}, ["experiments.one.setings", "'settings'"]),
        ({"experiments": {"one": None}}, ["experiments.one", "None"]),
        ({"experiments": {"two": {}}}, ["experiments.two", "neither runs nor a grid"]),
        (
            {"experiments": {"one": {"settings": {"epoch": 3}}}},
            ["experiments.one.settings.epoch", "'epochs'"],
        ),
        (
            {"experiments": {"one": {"runs": {"a": {"learning_rate": "fast"}}}}},
            ["experiments.one.runs.a.learning_rate", "'fast'"],
        ),
        (
            {"experiments": {"one": {"runs": {"a": {"dataset": "minimnist"}}}}},
            ["experiments.one", "run a", "'minimnist_b'"],
        ),
        ({"experiments": {"one": {"grid": {"dampin": [1]}}}}, ["one.grid.dampin", "'damping'"]),
        ({"experiments": {"one": {"grid": {"damping": 1}}}}, ["one.grid.damping"]),
        ({"experiments": {"one": {"grid": {"damping": [1, 1.0]}}}}, ["one.grid", "'a1'"]),
        ({"experiments": {"one": {"grid": {"damping": [0]}}}}, ["grid", "damping", "0"]),
        ({"experiments": {"one": {"grids": {"a": {"dampin": [1]}}}}}, ["grids.a.dampin"]),
        ({"experiments": {"one": {"runs": {"../a": {}}}}}, ["../a"]),
        (
            {"experiments": {"one": {"grid": {"averaging": [{"kind": "tail"}]}}}},
            ["experiments.one.grid.averaging: found {'kind': 'tail'}", "name the runs under runs"],
        ),
    ],
)
def test_mistakes_are_refused_with_their_path(changes: dict[str, Any], said: list[str]) -> None:
    message = refusal(tiny(**changes))
    assert all(text in message for text in said), message


def test_all_mistakes_are_told_at_once() -> None:
    message = refusal(tiny(sede=[1], device="tpu"))
    assert len(message.splitlines()) == 2


def test_text_is_read_as_the_number_it_is() -> None:
    run = {"learning_rate": "1e-3", "layers": ["8", "4"], "exact": "true", "epochs": "3"}
    config = cfg.resolve(tiny(seeds=["4", "5"], experiments={"one": {"runs": {"a": run}}}))
    settings = cfg.find_run(config, "one", "a").settings
    assert config.seeds == [4, 5]
    assert (settings.learning_rate, settings.layers) == (1e-3, [8, 4])
    assert (settings.exact, settings.epochs) == (True, 3)


def test_grid_points_are_named_by_their_values() -> None:
    grid = {"learning_rate": ["1e-3", 0.02], "damping": [1.0e-5], "refresh": [0]}
    config = cfg.resolve(tiny(experiments={"one": {"grid": grid}}))
    names = [run.name for run in cfg.runs(config)]
    assert names == ["a", "lr0.001_a1e-05_k0", "lr0.02_a1e-05_k0"]


def test_grids_name_their_runs_by_what_varies() -> None:
    grids = {
        "rws": {"algorithm": ["rws"], "learning_rate": [0.1]},
        "rws_adam": {"algorithm": ["rws"], "optimizer": ["adam"], "learning_rate": [1e-3, 0.01]},
    }
    config = cfg.resolve({"experiments": {"e": {"runs": {"one": {}}, "grids": grids}}})
    found = {r.name: r.settings for r in cfg.runs(config) if r.experiment == "e"}
    assert list(found) == ["one", "rws", "rws_adam_lr0.001", "rws_adam_lr0.01"]
    assert (found["rws"].optimizer, found["rws"].learning_rate) == ("sgd", 0.1)
    best = found["rws_adam_lr0.01"]
    assert (best.algorithm, best.optimizer, best.learning_rate) == ("rws", "adam", 0.01)


def test_own_seeds_go_before_the_configurations() -> None:
    own = {"runs": {"a": {}}, "seeds": [7]}
    config = cfg.resolve(tiny(seeds=[1, 2], experiments={"two": own}))
    assert (cfg.seeds(config, "one"), cfg.seeds(config, "two")) == ([1, 2], [7])
    message = refusal(tiny(experiments={"two": {**own, "seeds": [7, 7]}}))
    assert "experiments.two.seeds" in message


def test_what_is_asked_for_by_name_is_found_or_explained() -> None:
    config = scale("smoke")
    assert cfg.find_run(config, "mnist", "ws").settings.algorithm == "ws"
    for experiment, run, said in [("mnits", "ws", "'mnist'"), ("mnist", "wss", "'ws'")]:
        with pytest.raises(NwsError, match=f"did you mean {said}"):
            cfg.find_run(config, experiment, run)
    with pytest.raises(NwsError, match="did you mean 'mnist_bst'"):
        cfg.find_dataset(config, "mnist_bs")


def test_extends_is_followed_and_its_mistakes_are_told(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    second.write_text("extends: smoke\nscale: second\n")
    first.write_text(f"extends: {second}\nseeds: [3]\n")
    assert cfg.load(first).scale == "second"
    assert cfg.load(first).experiments == scale("smoke").experiments
    second.write_text(f"extends: {second}\n")
    with pytest.raises(NwsError, match="circle"):
        cfg.load(first)
    assert "did you mean 'quick'" in refusal({"extends": "quik"})
    assert "extends: found [1]" in refusal({"extends": [1]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"- a\n- b\n", "holds list, not a mapping"),
        (b"", "holds NoneType"),
        (b"a: [1\n", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"a: !!python/object/apply:os.getcwd []\n", "is not YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "it.yaml"
    path.write_bytes(content)
    with pytest.raises(NwsError) as error:
        cfg.load(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NwsError, match="cannot be read: No such file"):
        cfg.load(tmp_path / "none.yaml")


def test_the_reference_is_in_step() -> None:
    reference = runpy.run_path(str(ROOT / "tools" / "config_reference.py"))["reference"]()
    written = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert written == reference, "run: python tools/config_reference.py"


def test_every_key_is_described() -> None:
    for model in (cfg.Config, cfg.DatasetSettings, cfg.Experiment, cfg.RunSettings, cfg.Schedule):
        assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize("page", ["README.md", "config/README.md"])
def test_the_examples_of_the_readmes_resolve(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    assert examples
    for example in examples:
        cfg.resolve(yaml.safe_load(example))


keys = st.text("abc", min_size=1, max_size=2)
trees = st.recursive(
    st.one_of(st.integers(), st.lists(st.integers(), max_size=2)),
    lambda children: st.dictionaries(keys, children, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(keys, trees, max_size=3)


@given(mappings, mappings)
def test_merge_takes_the_top_and_keeps_the_rest(base: dict[str, Any], top: dict[str, Any]) -> None:
    before = json.dumps([base, top])
    merged = cfg.merge(base, top)
    assert json.dumps([base, top]) == before
    assert merged.keys() == base.keys() | top.keys()
    assert cfg.merge(merged, top) == merged
    for key in merged:
        if isinstance(base.get(key), dict) and isinstance(top.get(key), dict):
            assert merged[key] == cfg.merge(base[key], top[key])
        else:
            assert merged[key] == top.get(key, base.get(key))


@given(mappings)
def test_merge_has_the_empty_mapping_as_identity(mapping: dict[str, Any]) -> None:
    assert cfg.merge(mapping, {}) == cfg.merge({}, mapping) == mapping


rates = st.lists(st.floats(1e-6, 1e3).map(lambda x: float(f"{x:g}")), min_size=1, unique=True)


@given(rates, st.lists(st.integers(0, 10_000), min_size=1, unique=True))
def test_a_grid_is_the_product_of_its_values(values: list[float], periods: list[int]) -> None:
    experiment = cfg.Experiment(grid={"learning_rate": values, "refresh": periods})
    runs = list(cfg.expand("one", experiment))
    points = [(run.settings.learning_rate, run.settings.refresh) for run in runs]
    assert points == [(value, period) for value in values for period in periods]
    assert len({run.name for run in runs}) == len(runs)


def test_null_takes_an_experiment_away() -> None:
    smaller = cfg.resolve({"extends": "quick", "experiments": {"adam": None}})  # quick has it, too
    assert set(cfg.resolve({"extends": "quick"}).experiments) - set(smaller.experiments) == {"adam"}
    with pytest.raises(NwsError, match=r"experiments\.adm"):
        cfg.resolve({"extends": "quick", "experiments": {"adm": None}})


def test_null_takes_a_run_away() -> None:
    change = {"experiments": {"minimnist": {"runs": {"ws_b": None}}}}
    runs = cfg.resolve({"extends": "quick", **change}).experiments["minimnist"].runs
    assert set(runs) == {"rws_b", "nrws_b", "ws_bst", "rws_bst", "nrws_bst"}
    with pytest.raises(NwsError, match=r"runs\.ws_c"):
        cfg.resolve({"experiments": {"minimnist": {"runs": {"ws_c": None}}}})


def test_null_takes_a_grid_away() -> None:
    change = {"experiments": {"race_search": {"grids": {"ws": None}}}}
    before, after = (cfg.resolve(c).experiments["race_search"].grids for c in ({}, change))
    assert set(before) - set(after) == {"ws"}


def test_what_is_taken_away_stays_away(tmp_path: Path) -> None:
    """What is put in its place takes nothing from what was there; to take it away again is no
    mistake."""
    middle = tmp_path / "middle.yaml"
    middle.write_text("extends: smoke\nexperiments: {adam: null}\n")
    own = {"settings": {"epochs": 1}, "runs": {"a": {}}}
    content = {"extends": str(middle), "experiments": {"adam": own, "race_search_long": None}}
    found = cfg.resolve(content).experiments
    assert (found["adam"].settings, found["adam"].runs) == ({"epochs": 1}, {"a": {}})
    assert "race_search_long" not in found
    again = cfg.resolve({"extends": str(middle), "experiments": {"adam": None}})
    assert "adam" not in again.experiments
    inner = {**own, "runs": {"a": {}, "ws": None}}  # the adam of smoke had a ws, this one has none
    with pytest.raises(NwsError, match=r"adam\.runs\.ws"):
        cfg.resolve({**content, "experiments": {"adam": inner}})


def test_layers_lie_over_what_the_last_of_them_extends() -> None:
    one, two = {"two": {"runs": {"a": {}}}}, {"two": None, "adam": None}
    layers = [{"extends": "paper", "experiments": one}, {"extends": "smoke", "experiments": two}]
    found = cfg.layered(layers)
    assert found.scale == "smoke"
    assert found.experiments.keys() == scale("smoke").experiments.keys() - {"adam"}
    assert layers[0] == {"extends": "paper", "experiments": one}
    assert cfg.layered([]) == scale("paper")


@pytest.mark.parametrize("wrong", [5, [1], {"minimnist": 5}, {"minimnist": {"runs": [1]}}])
def test_experiments_of_a_wrong_kind_are_named(wrong: object) -> None:
    with pytest.raises(NwsError, match="experiments"):
        cfg.resolve({"experiments": wrong})
