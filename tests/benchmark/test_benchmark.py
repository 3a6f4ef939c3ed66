"""The benchmark on toy sizes: does it measure what it says, and report it right?"""

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from nws import cli
from nws.algorithms import base
from nws.algorithms.reweighted import reweighted
from nws.benchmark import (
    commands,
    company,
    goals,
    likelihood,
    passes,
    products,
    scaling,
    session,
    solves,
    steps,
    subjects,
)
from nws.benchmark.peers import PEERS, Peer
from nws.benchmark.rounds import Value, interleave, ratio, value
from nws.benchmark.subjects import MINIMNIST, Subject, settings
from nws.errors import NwsError
from nws.evaluation import likelihood as score
from nws.evaluation.jobs import PUBLISHED
from nws.files.top import SCRIPTS
from nws.fisher import cg
from nws.fisher.cholesky import Cholesky
from nws.models import sbn
from nws.models.parameters import initial
from nws.models.random import Key
from nws.training.parts import options, solvers

TOY = MINIMNIST._replace(name="toy", layers=[16, 8, 4], steps=2)

# A worker that only needs numpy.
FAKE = """
from worker import read, serve, sys
task = read(sys.argv[1])
gradients = {"prior": task.prior, "q0": task.q[0][0]}
serve("Fake", "1.0", lambda steps: 2.5, lambda steps: (3.5, gradients))
"""


@pytest.fixture(scope="module")
def toy() -> Subject:
    return subjects.subject(TOY, subjects.strokes(640, 16))


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    worker = (SCRIPTS / "worker.py").read_text(encoding="utf-8")
    (tmp_path / "worker.py").write_text(worker, encoding="utf-8")
    (tmp_path / "fake.py").write_text(textwrap.dedent(FAKE), encoding="utf-8")
    return tmp_path / "fake.py"


def test_rounds_are_interleaved_and_turn_round() -> None:
    calls: list[str] = []
    measures = {name: lambda name=name: calls.append(name) or len(calls) for name in "ab"}
    found = interleave(measures, 2)
    assert "".join(calls) == "ab" + "ab" + "ba"
    assert found == {"a": [3, 6], "b": [4, 5]}


def test_only_the_second_of_two_calls_counts_where_caches_must_settle() -> None:
    calls = iter(range(100))
    found = interleave({"a": lambda: float(next(calls))}, 2, settle=True)
    assert found == {"a": [2.0, 4.0]}  # 0 warms up; 1 and 3 settle


def test_ratios_are_of_medians_and_spreads_within_rounds() -> None:
    assert value([1.0, 2.0, 3.0]) == Value(2.0, 0.5)
    # A machine that slows down changes times, not their ratio.
    assert ratio([2.0, 4.0, 8.0], [1.0, 2.0, 4.0]) == Value(2.0, 0.0)


def test_a_row_says_whether_its_goal_is_reached() -> None:
    def reached(name: str, measured: float) -> bool | None:
        return goals.row(name, "", "mnist", "", Value(measured)).reached

    assert reached("rws_vs_jax", 1.8) is True
    assert reached("rws_vs_jax", 1.6) is False
    assert reached("rws_vs_products", 1.7) is False
    assert reached("rws", 1.7) is None


def test_products_are_those_of_the_step() -> None:
    layers, batch, samples = [784, 300, 200], 32, 10
    n, pairs = batch * samples, [(784, 300), (300, 200)]
    wake = batch * 785 * 300 + n * 301 * 200  # products of q; those of the bottom are shared
    p = n * sum((upper + 1) * lower for lower, upper in pairs)
    sleep = n * sum((lower + 1) * upper for lower, upper in pairs)
    expected = 2 * wake + 3 * p + 2 * sleep + n * 200
    found = products.of_step(layers, batch, samples)
    assert sum(product.n * product.k * product.m for product in found) == expected
    assert all(len(p.shapes()) == 2 for p in found)
    scored = products.of_likelihood(layers, 10, 200)
    assert sum(s.n * s.k * s.m for s in scored) == 10 * 785 * 300 + 2000 * 301 * 200 + 2000 * (
        301 * 784 + 201 * 300
    )


def test_the_program_of_products_does_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = products.of_step([16, 8, 4], 4, 2)
    done = []
    multiply = tf.matmul
    monkeypatch.setattr(
        products.tf, "matmul", lambda a, b, **how: done.append(how) or multiply(a, b, **how)
    )
    products.program(shapes, loops=2)(3)
    assert len(done) == 2 * len(shapes)  # traced once


def numbers(passed: list[passes.Pass]) -> Counter[str]:
    """How many of each kind."""
    found = Counter[str]()
    for one in passed:
        found[one.kind] += one.rows * one.units
    return found


def test_passes_are_those_of_the_step() -> None:
    """Counted beside the formulas: every unit is drawn awake and asleep, p's mean is taken of
    explained and dreamt units, q's awake (the bottom one once an image) and asleep. Parents are
    weighed awake, with a 1 for the bias; p's are above its units and q's below."""
    n, batch = 3 * 5, 3
    assert numbers(passes.of_step([16, 8, 4], batch, 5)) == {
        "uniform": n * (8 + 4) + n * (16 + 8 + 4),
        "mean": 2 * n * (16 + 8) + batch * 8 + n * 4 + n * (8 + 4),
        "draw": n * (8 + 4) + n * (16 + 8),
        "log_prob": batch * 8 + n * 4 + n * (16 + 8),
        "augment": n * (8 + 4) + n * (16 + 8),
        "error": n * (16 + 8) + 2 * n * (8 + 4),
        "weigh": n * (9 + 5) + batch * 17 + n * 9,
    }
    assert numbers(passes.of_likelihood([16, 8, 4], 2, 10)) == {
        "uniform": 20 * (8 + 4),
        "mean": 2 * 8 + 20 * 4 + 20 * (16 + 8),
        "draw": 20 * (8 + 4),
        "log_prob": 2 * 8 + 20 * 4 + 20 * (16 + 8),
        "augment": 20 * (8 + 4),
    }


def test_passes_are_those_that_the_algorithm_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the prior, the images, and the bottom of q, whose samples share their means."""
    found = Counter[str]()

    def count(kind: str, call: Callable) -> Callable:
        def counted(*args: object) -> tf.Tensor:
            found[kind] += max(int(tf.size(arg)) for arg in args if tf.is_tensor(arg))
            return call(*args)

        return counted

    monkeypatch.setattr(sbn, "bounded", count("mean", sbn.bounded))
    for kind in ("draw", "log_prob", "augment"):
        monkeypatch.setattr(sbn, kind, count(kind, getattr(sbn, kind)))
    monkeypatch.setattr(base, "_weighted", count("weigh", base._weighted))
    n, batch = 3 * 5, 3
    params = initial([16, 8, 4], 0)
    reweighted(params, tf.ones([batch, 16]), Key(0, 0), base.Options(samples=5))
    found.subtract(numbers(passes.of_step([16, 8, 4], batch, 5)))
    assert found == {
        "mean": 2 * 4,
        "draw": n * 4,
        "log_prob": n * 4 - batch * 8,
        "augment": batch * 16 + n * 4,
        "weigh": -batch * 17,  # its errors are weighed
        "uniform": -n * (8 + 4) - n * (16 + 8 + 4),
        "error": -n * (16 + 8) - 2 * n * (8 + 4),
    }


@pytest.mark.parametrize("kind", passes.KINDS)
def test_a_pass_does_what_the_models_do(kind: str) -> None:
    found = passes.operands([passes.Pass(kind, 6, 4)])
    (a, b), done = found["6 4"], passes.KINDS[kind](*found["6 4"], tf.constant(1))
    assert tf.size(done) >= 6
    assert bool(tf.reduce_all(tf.math.is_finite(done)))
    assert float(passes.corner(passes.Pass(kind, 6, 4), found, tf.constant(1))) == float(
        tf.reshape(done, [-1])[0]
    )
    assert bool(tf.reduce_all(tf.abs(a) < 1))
    assert not np.array_equal(a, b)


FORMULAS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean": lambda a, b: np.clip(np.tanh(a), -0.998, 0.998),
    "draw": lambda a, b: np.where(b < a, 1, -1),
    "log_prob": lambda a, b: np.log((1 + a * b) / 2).sum(axis=1),
    "error": lambda a, b: a - b,
    "weigh": lambda a, b: np.array([row * weight for row, weight in zip(a, b[:, 0], strict=True)]),
    "augment": lambda a, b: np.column_stack([a, np.ones(len(a))]),
}


def test_every_pass_has_its_formula() -> None:
    assert set(FORMULAS) == set(passes.KINDS) - {"uniform"}


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_pass_is_its_formula(kind: str) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(-c, c, (6, 4)).astype(np.float32) for c in (4, 0.2))
    done = passes.KINDS[kind](tf.constant(a), tf.constant(b), tf.constant(1))
    np.testing.assert_allclose(done, FORMULAS[kind](a, b), rtol=1e-5, atol=1e-6)


def test_uniform_numbers_are_new_every_round_and_as_coarse_as_the_clip_allows() -> None:
    first, second = (
        passes.KINDS["uniform"](tf.zeros([60, 40]), tf.zeros([]), tf.constant(i)).numpy()
        for i in (0, 1)
    )
    assert first.shape == (2400,)
    assert -1 < first.min() < -0.99
    assert 0.99 < first.max() < 1
    np.testing.assert_array_equal(first * 2**15 % 1, 0.5)  # halves of 32-bit words
    assert (first != second).mean() > 0.99


def test_the_unordered_step_does_products_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    run = passes.corner
    monkeypatch.setattr(passes, "corner", lambda one, *how: done.append(one.kind) or run(one, *how))
    passed = passes.of_step([16, 8, 4], 4, 2)
    products.program(products.of_step([16, 8, 4], 4, 2), passed=passed)(3)
    assert done == [one.kind for one in passed]  # traced once


def test_products_of_a_fresh_step_hold_those_of_its_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    """196-100-10-10: two layers by preconditioned and one by dual iterations, the top dense."""
    layers = [196, 100, 10, 10]
    subject = Subject(TOY._replace(layers=layers), np.zeros(0), initial([1, 1], 0))
    monkeypatch.setattr(solves, "iterations", lambda _: [6, 3, 1, 9, 4, 1])
    n, b = 320, 32
    assert [cg.cheapest(*s) for s in ((n, 101, 196), (b, 197, 100), (n, 101, 10))] == [
        "preconditioned",
        "dual",
        "preconditioned",
    ]
    p0 = n * 101**2 + 6 * (2 * n * 101 * 196 + 101**2 * 196)
    p1 = n * 11**2 + 3 * (2 * n * 11 * 100 + 11**2 * 100)
    q0 = b * 197 * b + 2 * b * 197 * 100 + 10 * b * b * 100
    q1 = n * 101**2 + 4 * (2 * n * 101 * 10 + 101**2 * 10)
    top = 2 * n * 11**2 * 10  # blocks of p and of q
    found = solves.of_fresh_step(subject)[len(products.of_step(layers, b, 10)) :]
    assert sum(p.n * p.k * p.m for p in found) == p0 + p1 + q0 + q1 + top
    products.program(found)(1)  # every operand has one shape


def test_the_bound_of_a_likelihood_has_its_tiles_and_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Images of a block, samples of a chunk, and blocks side by side: as its score has them."""
    tiles, beside = [], []
    block, map_fn = score._block, tf.map_fn
    monkeypatch.setattr(
        score, "_block", lambda *how: tiles.append((how[1].shape[0], how[3])) or block(*how)
    )
    monkeypatch.setattr(
        score.tf,
        "map_fn",
        lambda *args, **how: beside.append(how["parallel_iterations"]) or map_fn(*args, **how),
    )
    params, x = initial([16, 8, 4], 0), tf.ones([40, 16])
    graph = tf.function(lambda: score.estimate(params, x, 10_000, Key(0, 0), PUBLISHED))
    graph.get_concrete_function()
    assert (tiles, beside) == ([(10, 200)], [2])

    asked, times = [], []
    monkeypatch.setattr(products, "program", lambda *how: asked.append(how) or times.append)
    clock = iter([1.0, 3.0, 3.0, 4.0])
    monkeypatch.setattr(likelihood, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    measures = [likelihood._alone([16, 8, 4], 40, with_passes) for with_passes in (False, True)]
    sizes = ([16, 8, 4], *tiles[0])
    bound = products.of_likelihood(*sizes)
    assert asked == [(bound, *beside, []), (bound, *beside, passes.of_likelihood(*sizes))]
    assert [timed() for timed in measures] == [50.0, 25.0]  # ms an image
    assert times == [40 * 10_000 / (2000 * 2)] * 2


def test_a_likelihood_is_divided_by_its_products() -> None:
    rows = likelihood._rows("toy", [6.0], [2.0], [5.0])
    assert {row.name: row.value for row in rows} == {
        "likelihood_vs_products": 3.0,
        "likelihood_unordered_vs_products": 2.5,
        "likelihood": 6.0,
        "likelihood_products": 2.0,
    }


def test_iterations_are_counted_per_layer(toy: Subject) -> None:
    run = settings(TOY, "nrws", 1)
    found = solves.iterations(toy)
    assert len(found) == 4
    chosen = solvers(run, TOY.layers)
    for count, solver in zip(found, [*chosen.p, *chosen.q], strict=True):
        assert (count == 1) if isinstance(solver, Cholesky) else (1 <= count <= run.cg_iterations)


def test_steps_of_one_architecture(toy: Subject) -> None:
    variants = [*steps.NEEDED, steps.Variant("nws", 1, "cg")]
    measured = steps.measure(toy, variants, python="no-such-python", rounds=2)
    rows = {row.name: row for row in measured.rows}
    assert {"rws", "nrws_k1", "nrws_k50", "nws_k1_cg", "products", "nrws_k1_products"} < set(rows)
    assert rows["nrws_k1_vs_rws"].value == pytest.approx(
        rows["nrws_k1"].value / rows["rws"].value, rel=1e-3
    )
    assert 0 <= rows["nrws_k1_residual"].value <= 0.0101
    assert [entry["K"] for entry in measured.seconds_per_epoch] == [None, 1, 50, 1]
    assert measured.seconds_per_epoch[0]["seconds"] == pytest.approx(
        rows["rws"].value * 1.562, rel=1e-3
    )
    assert [note.split(":")[1] for note in measured.notes] == [
        " no peer_jax.py",
        " no peer_torch.py",
    ]


def test_ratios_say_what_is_divided_by_what() -> None:
    """Of PyTorch's times the faster: by their medians, with two threads or with one."""
    times = {
        "rws": [2.0, 2.0, 2.0],
        "jax": [6.0, 6.0, 6.0],
        "torch": [1.0, 20.0, 20.0],
        "torch_1": [14.0, 14.0, 14.0],
        "products": [0.5, 0.5, 0.5],
        "unordered": [2.5, 2.5, 2.5],
        "nrws_k1": [22.0, 22.0, 22.0],
        "nrws_k1_products": [1.0, 1.0, 1.0],
        "nrws_k50": [26.0, 26.0, 26.0],
        "nrws_k10_shared": [34.0, 34.0, 34.0],
        "nrws_k50_shared": [38.0, 38.0, 38.0],
    }
    expected = {
        "rws_vs_jax": 3,
        "rws_vs_torch": 7,
        "rws_vs_products": 4,
        "unordered_vs_products": 5,
        "products_vs_jax": 12,
        "products_vs_torch": 28,
        "nrws_k1_vs_rws": 11,
        "k1_products_vs_rws": 0.5,
        "nrws_k50_vs_rws": 13,
        "shared_k10_vs_rws": 17,
        "shared_k50_vs_rws": 19,
    }
    assert {row.name: row.value for row in steps._ratios("toy", times)} == expected
    times |= {"torch": times["torch_1"], "torch_1": times["torch"]}
    assert {row.name: row.value for row in steps._ratios("toy", times)} == expected


def test_k_steps_hold_their_share_of_refreshes(toy: Subject) -> None:
    subject = toy._replace(images=np.tile(toy.images, (10, 1)))
    assert steps.Timing(subject, steps.Variant("nrws", 50)).steps == 50
    assert steps.Timing(subject, steps.Variant("nrws", 1)).steps == TOY.steps


def test_a_peer_answers_when_asked(toy: Subject, fake: Path) -> None:
    with Peer(sys.executable, fake, toy) as peer:
        assert (peer.name, peer.version) == ("Fake", "1.0")
        timing = steps.PeerTiming(peer, 3)
        assert timing() > 0
        assert timing.losses == [2.5]
        loss, found = peer.gradients(2)
    assert loss == 3.5
    np.testing.assert_array_equal(found["prior"], toy.params.prior)
    np.testing.assert_array_equal(found["q0"], toy.params.q[0][:-1])
    assert peer.process.returncode == 0


def test_a_peer_that_cannot_start_says_why(toy: Subject, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import no_such_module", encoding="utf-8")
    with pytest.raises(NwsError, match="no_such_module"):
        Peer(sys.executable, script, toy)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jax", "torch_1"])
def test_peers_do_the_same_steps(toy: Subject, name: str) -> None:
    """Mean loss and mean gradients of independent draws agree within their noise."""
    python = os.environ.get("NWS_PEERS", sys.executable)
    try:
        script, threads = PEERS[name]
        peer = Peer(python, SCRIPTS / script, toy, threads)
    except NwsError as error:
        pytest.skip(f"{error}; NWS_PEERS may name a Python that has it")
    with peer:
        loss, theirs = peer.gradients(1500)
    (ours_loss, ours), (_, again) = (_mean_gradients(toy, seed, 1500) for seed in (1, 2))
    assert loss == pytest.approx(ours_loss, rel=0.01)
    assert set(theirs) == set(ours)
    for key, gradient in ours.items():
        noise = np.linalg.norm(again[key] - gradient)
        assert noise < 0.3 * np.linalg.norm(gradient), key
        assert np.linalg.norm(theirs[key] - gradient) < 2 * noise, key


def _mean_gradients(subject: Subject, seed: int, count: int) -> tuple[float, dict[str, np.ndarray]]:
    run = settings(subject.architecture, "rws")
    images = tf.constant(2.0 * subject.images.astype(np.float32) - 1.0)

    @tf.function(autograph=False)
    def total() -> tuple:
        def body(i: tf.Tensor, sums: list) -> tuple:
            rows = tf.random.stateless_uniform([run.batch], [seed, i], 0, len(images), tf.int32)
            step = reweighted(subject.params, tf.gather(images, rows), Key(seed, i), options(run))
            parts = [tf.reduce_mean(step.bound), *tf.nest.flatten(step.gradients)]
            return i + 1, [a + b for a, b in zip(sums, parts, strict=True)]

        zeros = [tf.zeros([]), *map(tf.zeros_like, tf.nest.flatten(subject.params))]
        return tf.while_loop(lambda i, _: i < count, body, (0, zeros))[1]

    bound, *flat = (t.numpy() / count for t in total())
    depth = len(subject.params.p)
    names = [*(f"p{i}" for i in range(depth)), "prior", *(f"q{i}" for i in range(depth))]
    return -bound, dict(zip(names, flat, strict=True))


def test_a_layer_problem_is_solved_by_every_solver() -> None:
    H, V, g = scaling.problem(scaling.Layer("l", 12, 32, 5))
    assert (H.shape, V.shape, g.shape) == ((32, 13), (32, 5), (13, 5))
    assert set(np.unique(H)) == {-1.0, 1.0}
    for solver in scaling.SOLVERS:
        assert scaling.solve_time(solver, scaling.Layer("l", 12, 32, 5))() > 0


def test_the_exponent_is_the_slope_of_the_wider_half() -> None:
    curves = [
        {"solver": "cg", "vary": "l = n", "l": l, "ms": 2.0 * l**3 if l > 2 else 1.0}
        for l in (1, 2, 4, 8, 16)
    ]
    assert scaling._exponent("cg", curves).value == pytest.approx(3.0)


def test_strokes_are_pictures() -> None:
    images = subjects.strokes(50, 196)
    assert images.shape == (50, 196)
    assert set(np.unique(images)) == {0, 1}
    assert 0.03 < images.mean() < 0.4
    assert len(np.unique(images, axis=0)) == 50


def test_commands_are_timed_and_their_faults_reported() -> None:
    finished = commands.run("--help")
    assert 0 < finished.seconds < 30
    assert 0.005 < finished.gib < 2
    with pytest.raises(NwsError, match="nws figure no-such-figure"):
        commands.run("figure", "no-such-figure")


def test_figures_are_redrawn_beside_the_results(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "runs").mkdir()
    copy = tmp_path / "copy"
    copy.mkdir()
    commands._link(tmp_path, copy)
    assert sorted(path.name for path in copy.iterdir()) == ["copy", "runs"]


def test_document_and_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_two_cores", lambda: "On 2 of 2 cores.")
    monkeypatch.setattr(
        session, "_describe_machine", lambda document: document["machine"].update(cpu="A CPU")
    )
    monkeypatch.setattr(
        commands, "measure", lambda *_: ([goals.row("help", "nws --help", "", "s", Value(0.3))], [])
    )
    where = ["--results", str(tmp_path)]
    assert cli.main(["benchmark", "--only", "commands", "--rounds", "1", *where]) == 0
    document = json.loads((tmp_path / "benchmark.json").read_text(encoding="utf-8"))
    assert {"machine", "versions", "date", "rows", "scaling", "seconds_per_epoch"} <= set(document)
    assert document["rows"] == [
        {
            "name": "help",
            "what": "nws --help",
            "architecture": "",
            "value": 0.3,
            "unit": "s",
            "goal": "<= 0.5",
            "reached": True,
            "spread": 0.0,
        }
    ]


def test_help_does_not_load_tensorflow() -> None:
    code = "import sys, nws.benchmark; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_many_runs_in_one_job_over_as_many_by_themselves(tmp_path: Path) -> None:
    """A job of 2 s a start and 1 s a run, whose steps take .5 s, two at a time."""

    def run(command: str, *words: str) -> float:
        seeds = [words[i + 1] for i, word in enumerate(words) if word == "--seed"]
        root = Path(words[words.index("--results") + 1])
        for seed in seeds:
            folder = root / "runs" / "minimnist" / "nrws_b" / f"seed{seed}"
            folder.mkdir(parents=True)
            (folder / "training.json").write_text('{"seconds": 0.5}')
        return 2.0 + len(seeds)

    whole, steps_alone = company.many(run, (), tmp_path, 1)
    assert whole.value == pytest.approx((2 + 16) / (16 * 3))
    assert (whole.goal, whole.reached) == ("<= 0.6", True)
    assert steps_alone.value == pytest.approx(0.5)


def test_a_step_beside_a_busy_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is there when the step is timed, and gone afterwards."""
    monkeypatch.setattr(company, "BUSY", 0.0)
    started: list[subprocess.Popen[bytes]] = []
    popen = company.subprocess.Popen
    monkeypatch.setattr(
        company.subprocess, "Popen", lambda *args: started.append(popen(*args)) or started[-1]
    )

    def timed() -> float:
        return 3.0 if started and started[-1].poll() is None else 2.0

    assert company.busy("minimnist", timed, 3).value == 1.5
    assert len(started) == 4
    assert all(process.poll() is not None for process in started)


@pytest.mark.parametrize("rounds", ["0", "-1", "two"])
def test_rounds_that_are_none_are_refused(rounds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["benchmark", "--rounds", rounds])
    assert "give a whole number, at least 1" in capsys.readouterr().err
