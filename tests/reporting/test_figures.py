"""Figures: every one draws, from whatever is there, exactly what its CSV says."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from fake_results import SMALL, rescore, rewrite, small, update, write
from scipy import stats

from nws import config as configuration
from nws.errors import NwsError
from nws.files import manifest
from nws.files.whole import write_bytes
from nws.reporting import cells, claims, figures, frames
from nws.reporting import fisher_enumeration as enumeration
from nws.reporting.claims.claim import NOT_AT_SCALE, NOT_RUN
from nws.reporting.figures import answer, noise_floor, pictures, style
from nws.reporting.results import Results
from nws.reporting.wording import minus


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write(tmp_path_factory.mktemp("fake"))


def lines(figure):
    return [line for axes in figure.axes for line in axes.lines]


@pytest.mark.parametrize("name", figures.NAMES)
def test_a_figure_can_be_redrawn_from_its_csv(name, root, tmp_path):
    csv, svg, png = figures.make(name, Results(root), tmp_path)
    assert csv.read_bytes() == frames.to_csv(figures.data(name, Results(root)))
    first = svg.read_bytes(), png.read_bytes()
    figures.redraw(name, csv, tmp_path)
    assert (svg.read_bytes(), png.read_bytes()) == first  # deterministic, and nothing but the CSV
    assert b"<dc:date>" not in first[0]
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []


def test_curves_are_the_numbers_of_the_csv(root):
    frame = figures.data("fig3", Results(root))
    figure = figures.draw("fig3", frame)
    run = frame.query("run == 'nrws_b' and seed == 1")
    drawn = [line.get_xydata() for line in figure.axes[0].lines]
    for column in ("train_loss", "valid_loss"):
        wanted = run[["epoch", column]].to_numpy(float)
        assert any(data.shape == wanted.shape and (data == wanted).all() for data in drawn)
    runs = 3 * 3 * 2  # algorithms, seeds, splits
    assert len(figure.axes[0].lines) == runs + 3  # and the paper's three values


@pytest.mark.parametrize(
    ("name", "experiment", "run"),
    [("fig3", "minimnist", "nrws_b"), ("fig4", "mnist", "nrws"), ("fig9", "ksteps", "k50")],
)
def test_seconds_are_those_of_undisturbed_epochs(name, experiment, run, tmp_path):
    """Two seconds an epoch, but for a pause."""
    steps = {"settings": {"dataset": "mnist_bst", "epochs": 5}, "grid": {"refresh": [50, 100]}}
    experiments = {**SMALL["experiments"], "ksteps": steps}
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    count = len(Results(root).history(experiment).query(f"run == '{run}' and seed == 0"))
    pause = np.where(np.arange(count) == count - 1, 500.0, 2.0)
    rewrite(root, experiment, run, 0, seconds=np.cumsum(pause))
    frame = figures.data(name, Results(root))
    rows = frame[(frame["run"] == run) & (frame["seed"] == 0) & (frame["status"] == "finished")]
    assert rows["seconds"].tolist() == pytest.approx((2.0 * rows["epoch"]).tolist())


def test_figure_6_has_the_loss_to_the_left_and_the_exact_kl_to_the_right(root):
    frame = figures.data("fig6", Results(root))
    legend = figures.draw("fig6", frame).legends[0]
    assert legend.texts[0].get_text() == "vanilla (WS)"
    vanilla = frame["run"] == "vanilla"
    known = frame["status"] != "reference"
    assert frame.loc[vanilla, "damping"].isna().all()
    assert frame.loc[known & ~vanilla, "damping"].notna().all()
    run = frame[frame["run"] == "a0.1"]
    for axes, column in zip(
        figures.draw("fig6", frame).axes, ("valid_loss", "exact_kl"), strict=True
    ):
        wanted = run[["epoch", column]].to_numpy(float)
        assert any(np.array_equal(line.get_xydata(), wanted) for line in axes.lines)


def test_figure_7_frames_the_best_cell(tmp_path):
    """By the mean over seeds: one seed of another cell is lower."""
    experiments = {"grid_minimnist": {**SMALL["experiments"]["grid_minimnist"], "seeds": [0, 1]}}
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    for run in Results(root).runs("grid_minimnist"):
        best = (run.settings.learning_rate, run.settings.damping) == (0.01, 1)
        lucky = (run.settings.learning_rate, run.settings.damping) == (0.1, 0.1)
        for seed in (0, 1):
            loss = 20.0 if best else 10.0 if lucky and seed else 40.0
            update(root, "grid_minimnist", run.name, seed, min_valid_loss=loss)
    axes = figures.draw("fig7", figures.data("fig7", Results(root))).axes[0]
    assert axes.get_title(loc="left") == "best (framed): 20 at η = 0.01, α = 1"


def test_the_answer_has_every_claim_and_every_value_of_the_tables(tmp_path):
    root = write(tmp_path)
    for run, mean in (("rws_b", -29.195), ("nrws_bst", -38.578)):
        rescore(root, "minimnist", run, [mean - 0.1, mean, mean + 0.1])
    frame = figures.data("answer", Results(root))
    tiles, values = frame[frame["panel"] == "claim"], frame[frame["panel"] == "value"]
    assert list(tiles["claim"]) == [claim.id for claim in claims.ALL]
    assert set(tiles["topic"]) == set(answer.TOPICS)
    assert list(values["topic"]) == [
        f"{images}, {algorithm}"
        for images in ("miniMNIST B", "miniMNIST BSt", "MNIST")
        for algorithm in ("WS", "RWS", "NRWS")
    ]
    found = values.set_index("claim")
    assert found.loc["table1-b-rws", "difference"] == pytest.approx(-0.5)
    assert found.loc["table1-bst-nrws", "difference"] == pytest.approx(-2)
    half = float(stats.t.ppf(0.975, 2)) * 0.1 / np.sqrt(3)
    assert found.loc["table1-b-rws", "low"] == pytest.approx(-29.195 - half)
    left, right = figures.draw("answer", frame).axes
    dots = [float(bar[0].get_xdata()[0]) for bar in left.containers]
    near = values["difference"].abs() <= answer.FAR
    assert dots == pytest.approx(list(values.loc[near, "difference"]))
    told = {text.get_text().strip() for text in left.texts}
    assert told == {minus(f"{d:+.1f}") for d in values.loc[~near, "difference"]}
    assert told
    assert len(dots) > 1
    assert len(right.texts) == len(claims.ALL)


def test_the_paper_has_its_marks(root):
    frame = figures.data("fig3", Results(root)).query("status == 'reference'")
    assert sorted(frame["valid_loss"]) == [27.606, 28.695, 29.337, 36.578, 37.811, 38.232]


@pytest.mark.parametrize("name", figures.NAMES)
def test_nothing_run_still_draws_and_says_so(name, tmp_path):
    runs = configuration.runs(configuration.resolve(SMALL))
    root = write(tmp_path, missing=[f"{run.experiment}/{run.name}" for run in runs])
    frame = figures.data(name, Results(root))
    figure = figures.draw(name, frame)
    if name == "answer":
        assert set(frame.loc[frame["panel"] == "value", "verdict"]) <= {NOT_RUN, NOT_AT_SCALE}
    elif name != "fig1":
        assert "Missing" in figure.get_supxlabel()


@pytest.mark.parametrize("name", figures.NAMES)
def test_an_experiment_that_is_not_configured_draws_an_empty_figure(name, tmp_path):
    config = configuration.resolve({**SMALL, "experiments": {"other": {"runs": {"a": {}}}}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of axes around nothing
        figures.make(name, Results(write(tmp_path / "r", config)), tmp_path)


def test_the_vanilla_algorithm_of_figure_6_is_called_what_it_is(tmp_path):
    experiments = small()["experiments"]
    experiments["damping"]["runs"]["vanilla"]["algorithm"] = "rws"
    experiments["damping"]["settings"]["algorithm"] = "nbihm"
    root = write(tmp_path, configuration.resolve({**SMALL, "experiments": experiments}))
    frame = figures.data("fig6", Results(root))
    assert set(frame.loc[frame["damping"].notna(), "algorithm"]) == {"nbihm"}
    legend = figures.draw("fig6", frame).legends[0]
    assert legend.texts[0].get_text() == "vanilla (RWS)"


FILES = ("fig6.csv", "fig6.svg", "fig6.png")


@pytest.mark.parametrize("written", range(4))  # of three files and their manifest
def test_an_interrupted_figure_leaves_no_picture_beside_other_numbers(
    written, tmp_path, monkeypatch
):
    old = [path.read_bytes() for path in figures.make("fig6", Results(write(tmp_path)))]
    count = len(Results(tmp_path).history("damping").query("run == 'a0.1'"))
    rewrite(tmp_path, "damping", "a0.1", valid_loss=np.linspace(9, 3, count))
    left = iter(range(written))

    def interrupted(*args):
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_bytes(*args)

    with monkeypatch.context() as patch:
        patch.setattr(figures, "write_bytes", interrupted)
        patch.setattr(manifest, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            figures.make("fig6", Results(tmp_path))
    paths = [tmp_path / "figures" / name for name in FILES]
    assert [path.is_file() for path in paths] == [i < written for i in range(3)]
    assert all(path.read_bytes() not in old for path in paths[:written])
    assert figures.make("fig6", Results(tmp_path)) == paths
    assert manifest.check(tmp_path / "figures") == []


def test_a_figure_that_cannot_be_drawn_leaves_the_old_one_whole(tmp_path, monkeypatch):
    paths = figures.make("fig6", Results(write(tmp_path)))
    old = [path.read_bytes() for path in paths]
    update(tmp_path, "damping", "a0.1", status="diverged")
    monkeypatch.setattr(style, "render", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        figures.make("fig6", Results(tmp_path))
    assert [path.read_bytes() for path in paths] == old
    assert manifest.check(tmp_path / "figures") == []


def test_active_units_are_drawn_beside_the_losses_of_both_parameters(root):
    frame = figures.data("activity", Results(root))
    assert frame["active_1"].notna().all()
    loss, active, gap = figures.draw("activity", frame).axes
    assert [len(axes.lines) for axes in (loss, active, gap)] == [6, 3, 3]
    run = frame[frame["run"] == "fast"]
    for axes, column in ((loss, "valid_loss_last"), (active, "active_2"), (gap, "gap")):
        wanted = run[["epoch", column]].to_numpy(float)
        assert any((line.get_xydata() == wanted).all() for line in axes.lines)


def test_metrics_are_compared_in_epochs_and_in_epochs_of_rws(root):
    frame = figures.data("exactness", Results(root))
    assert list(dict.fromkeys(frame["metric"])) == [
        "RWS, η 0.2", "exact to 0.01, K = 1", "exact, K = 50", "shared, K = 50"
    ]  # fmt: skip
    base = frame[frame["run"] == "rws"]
    assert base.groupby("epoch")["time"].mean().tolist() == pytest.approx(base["epoch"].unique())
    epochs, time, active = figures.draw("exactness", frame).axes
    assert [len(axes.lines) for axes in (epochs, time, active)] == [4, 4, 4]
    mean = frame[frame["run"] == "shared_50"].groupby("epoch")[["time", "valid_loss"]].mean()
    drawn = [line.get_xydata() for line in time.lines]
    assert any(len(line) == 4 and np.allclose(line, mean.to_numpy()) for line in drawn)


def test_the_noise_floor_is_that_of_steps_on_a_quadratic():
    half = np.random.default_rng(0).normal(size=(5, 5))
    fisher, batch = half @ half.T / 5, 8
    for damping in (np.nan, 0.1, 1.0):
        plain = np.isnan(damping)
        inverse = np.linalg.inv(fisher + np.nan_to_num(damping) * np.eye(5))
        metric = np.eye(5) if plain else (1 + damping) * inverse
        excess = []
        for rate in (0.02, 0.01):  # covariance of the steps' end: S = M S Mᵀ + η² P F P/B
            once = np.eye(5) - rate * metric @ fisher
            noise = rate**2 / batch * metric @ fisher @ metric
            one = np.eye(25) - np.kron(once, once)
            covariance = np.linalg.solve(one, noise.ravel()).reshape(5, 5)
            excess.append(np.trace(fisher @ covariance) / 2 / rate)
        limit = 2 * excess[1] - excess[0]  # per η, as η tends to 0
        predicted = noise_floor.predict(np.linalg.eigvalsh(fisher), 1.0, batch, damping)
        assert predicted == pytest.approx(limit, rel=1e-3)


def test_the_noise_floor_is_measured_late_and_predicted_from_the_model(root):
    frame = figures.data("noise_floor", Results(root))
    assert frame["excess"].to_numpy() == pytest.approx(0.5)  # of every invented history
    assert frame["predicted"].isna().all()  # they have no model
    rate, batch, damping = figures.draw("noise_floor", frame).axes
    dots = [sum(len(line.get_xdata()) for line in axes.lines) for axes in (rate, batch, damping)]
    assert dots == [4, 0, 2]  # NWS and WS by η, nothing by B, NWS by α

    # Parents and units of even odds: E[σ' ĥĥᵀ] is a quarter of the identity
    model = {"prior_b": np.zeros(2), "p_W0": np.zeros((2, 3)), "p_b0": np.zeros(3)}
    assert noise_floor.eigenvalues(model) == pytest.approx(np.full(2 + 3 * 3, 0.25))


def test_diverged_cells_are_hatched_marked_and_never_best(tmp_path):
    before = cells.cells(figures.data("fig7", Results(write(tmp_path / "a"))))
    best = before.iloc[int(before["loss"].argmin())]
    rate, damping = best["learning_rate"], best["damping"]
    root = write(tmp_path / "b", diverged=[f"grid_minimnist/lr{rate:g}_a{damping:g}"])
    frame = figures.data("fig7", Results(root))
    found = cells.cells(frame).set_index(["learning_rate", "damping"])
    assert found.loc[(rate, damping), "status"] == "diverged"
    assert np.isnan(found.loc[(rate, damping), "loss"])
    axes = figures.draw("fig7", frame).axes[0]
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == 1
    assert "diverged" in [text.get_text() for text in axes.texts]
    assert f"η = {rate:g}, α = {damping:g}" not in axes.get_title(loc="left")


def test_one_diverged_seed_takes_the_cell_out():
    columns = ["run", "learning_rate", "damping", "seed", "status", "min_valid_loss"]
    rows = [["a", 0.1, 1.0, 0, "finished", 10.0], ["a", 0.1, 1.0, 1, "diverged", None]]
    found = cells.cells(pd.DataFrame(rows, columns=columns))
    assert found["status"].tolist() == ["diverged"]
    assert found["loss"].isna().all()


def test_a_grid_that_diverged_whole_says_so(tmp_path):
    config = configuration.resolve(SMALL)
    cells = [f"{r.experiment}/{r.name}" for r in configuration.runs(config)]
    root = write(tmp_path, diverged=[c for c in cells if c.startswith("grid_mnist")])
    figure = figures.draw("fig8", figures.data("fig8", Results(root)))
    assert figure.axes[0].get_title(loc="left") == "no cell ended well: all diverged"


def test_a_diverged_curve_ends_in_a_cross(tmp_path):
    root = write(tmp_path, diverged=["ksteps/k1000"])
    figure = figures.draw("fig9", figures.data("fig9", Results(root)))
    assert any(line.get_marker() == "x" for line in lines(figure))
    assert "Diverged: k1000" in figure.get_supxlabel()


def test_names_are_escaped_in_svg():
    frame = pd.DataFrame({"run": ["<script>&"], "seed": [0], "status": ["missing"]})
    with style.context():
        figure = style.figure(2)
        style.note(figure, frame)
    svg = style.render(figure, "svg")
    assert b"<script" not in svg


def test_no_colour_alone():
    assert len(set(style.MARKERS.values())) == len(style.COLOURS) == len(style.NAMES)


def test_mosaic_keeps_every_pixel():
    images = np.arange(12.0).reshape(3, 2, 2)
    canvas = pictures.mosaic(images, 2)
    assert canvas.shape == (7, 7)
    assert (canvas[1:3, 4:6] == images[1]).all()
    assert (canvas[4:6, 1:3] == images[2]).all()


def test_requires_names_configured_runs():
    config = configuration.resolve(SMALL)
    assert figures.requires("fig1", config) == []
    assert ("minimnist", "nrws_bst") in figures.requires("fig3", config)
    assert {experiment for experiment, _ in figures.requires("fig9", config)} == {
        "damping",
        "ksteps",
    }


def test_unknown_figures_and_torn_files_are_clear_errors(tmp_path):
    with pytest.raises(NwsError, match="no figure 'fig10'"):
        figures.requires("fig10", configuration.resolve(SMALL))
    with pytest.raises(NwsError, match="cannot be read"):
        figures.redraw("fig3", tmp_path / "fig3.csv", tmp_path)


def test_no_tensorflow_anywhere_near():
    code = (
        "import sys; from nws.reporting import claims, figures, results, tables; "
        "[figures._module(name) for name in figures.NAMES]; "
        "sys.exit(any(m.split('.')[0] in ('tensorflow', 'keras') for m in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("coding", ["01", "pm1"])
def test_the_enumerated_fisher_is_its_blocks(coding):
    network = enumeration.random_network([2, 3, 2], seed=4)
    matrix = enumeration.fisher(network, coding)
    unit = enumeration.unit_of_parameter(network)
    assert enumeration.largest_outside(matrix, unit) < 1e-14
    np.testing.assert_allclose(matrix, enumeration.blocks(network, coding), atol=1e-14)
    assert np.linalg.eigvalsh(matrix).min() > -1e-14
