"""All solvers against dense float64 algebra, and the limits of the damped natural gradient."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from machines import sigmoid

from nws.errors import NwsError
from nws.fisher import EXACT, cg, choose, natural_gradient
from nws.fisher.cg import ConjugateGradient

Problem = tuple[np.ndarray, np.ndarray, np.ndarray]
YES = (True, np.bool_(True), np.array(True), tf.constant(True))


def problem(n: int, l: int, m: int, seed: int = 0, clip: float = 1e-6) -> Problem:
    """±1 parents with a trailing 1, probabilities that reach the clip's bounds, a gradient."""
    rng = np.random.default_rng(seed)
    H = np.hstack([np.sign(rng.standard_normal((n, l))), np.ones((n, 1))])
    P = np.clip(sigmoid(4 * rng.standard_normal((n, m))), clip, 1 - clip)
    P[:, 0], P[0, :] = clip, 1 - clip
    return H, P, rng.standard_normal((l + 1, m))


def dense(H: np.ndarray, P: np.ndarray, g: np.ndarray, alpha: float) -> np.ndarray:
    """Eq. 16, unit by unit."""
    eye, n = np.eye(H.shape[1]), len(H)
    blocks = [H.T @ np.diag(p * (1 - p) / n) @ H for p in P.T]
    units = zip(blocks, g.T, strict=True)
    return np.stack([np.linalg.solve((alpha * eye + F) / (1 + alpha), c) for F, c in units], 1)


def error(x: np.ndarray, reference: np.ndarray) -> float:
    return float(np.abs(x - reference).max() / np.abs(reference).max())


SHAPES = [(320, 20, 30), (32, 80, 10), (100, 90, 7), (5, 3, 2), (1, 4, 3)]


@pytest.mark.parametrize("solver", EXACT)
@pytest.mark.parametrize("alpha", [1e-4, 1e-2, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_solvers_agree_with_dense_algebra(
    solver: str, alpha: float, shape: tuple[int, int, int]
) -> None:
    H, P, g = problem(*shape)
    assert error(natural_gradient(H, P, g, alpha, solver), dense(H, P, g, alpha)) < 1e-6


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-8])
@pytest.mark.parametrize("shape", SHAPES[:3])
def test_cg_stops_at_the_residual_it_reports(tolerance: float, shape: tuple[int, int, int]) -> None:
    """The primal residual is measured here, not read off the iteration."""
    H, P, g = problem(*shape)
    alpha, V = 0.05, P * (1 - P) / len(H)
    method = ConjugateGradient(tolerance, 1000)
    solution = method.solve(
        method.factor(tf.constant(H), tf.constant(V), tf.constant(alpha, tf.float64)),
        tf.constant(g),
    )
    x = solution.value.numpy() / (1 + alpha)
    left = g - alpha * x - H.T @ (V * (H @ x))
    measured = np.linalg.norm(left, axis=0) / np.linalg.norm(g, axis=0)
    assert measured.max() <= tolerance * 1.001
    np.testing.assert_allclose(solution.residual, measured, atol=1e-9 + 1e-6 * tolerance)


@pytest.mark.parametrize(
    ("shape", "path"),
    [
        ((320, 50, 30), "preconditioned"),
        ((500, 300, 2), "plain"),  # too few units to share an inverse
        ((320, 60, 410), "preconditioned"),  # in three chunks
        ((60, 150, 310), "dual"),
    ],
)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_cg_takes_each_of_its_paths(shape: tuple[int, int, int], path: str, kind: type) -> None:
    """Compiled, as in training: in a graph."""
    H, P, g = problem(*shape)
    method = ConjugateGradient(1e-4, 1000)

    @tf.function(autograph=False)
    def solve(H: tf.Tensor, V: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        factors = method.factor(H, V, tf.constant(0.05, H.dtype))
        dual, preconditioned = factors.gram.shape[0] > 0, factors.M[0].shape[0] > 0
        found = "dual" if dual else "preconditioned" if preconditioned else "plain"
        assert (found, len(factors.weights)) == (path, -(-shape[2] // method.chunk))
        return method.solve(factors, g).value

    x = solve(*(tf.constant(a.astype(kind)) for a in (H, P * (1 - P) / len(H), g)))
    assert error(x.numpy(), dense(H, P, g, 0.05)) < 1e-3


def test_few_samples_are_solved_compiled_in_a_graph() -> None:
    H, P, g = problem(32, 300, 40)
    method = ConjugateGradient(1e-4, 1000)
    solve = tf.function(
        lambda H, V, g: method.solve(method.factor(H, V, tf.constant(0.05)), g).value,
        autograph=False,
    )
    arguments = [tf.constant(a.astype(np.float32)) for a in (H, P * (1 - P) / 32, g)]
    assert error(solve(*arguments).numpy(), dense(H, P, g, 0.05)) < 1e-3
    graph = solve.get_concrete_function(*arguments).graph
    assert any("_XlaMustCompile" in node.node_def.attr for node in graph.get_operations())


def test_a_shared_inverse_halves_the_iterations() -> None:
    """Units that weigh the same samples: the average unit's metric is close to all of theirs."""
    H, _, g = problem(320, 60, 40)
    P = sigmoid(H[:, :60] @ np.random.default_rng(1).standard_normal((60, 40)) / 60**0.5)
    arguments = [tf.constant(a) for a in (H, P * (1 - P) / 320, tf.constant(0.01, tf.float64))]
    method = ConjugateGradient()
    factors = method.factor(*arguments)
    without = factors._replace(M=(tf.zeros([0, 0], tf.float64),))
    shared, plain = (method.solve(f, tf.constant(g)).iterations for f in (factors, without))
    assert int(shared) <= int(plain) / 2


@pytest.mark.parametrize("iterations", [1000, 4])
def test_units_that_are_finished_are_left_behind(
    monkeypatch: pytest.MonkeyPatch, iterations: int
) -> None:
    """To the same solution, residuals and number of iterations; also when cut short."""
    H, P, g = problem(100, 40, 30)
    assert cg.cheapest(100, 41, 30) != "dual"
    arguments = [tf.constant(a) for a in (H, P * (1 - P) / 100, tf.constant(0.05, tf.float64))]
    method = ConjugateGradient(1e-6, iterations, chunk=12)

    def solve() -> cg.Solution:
        return method.solve(method.factor(*arguments), tf.constant(g))

    together = solve()
    monkeypatch.setattr(cg, "LARGE", 0)
    left: list[int] = []
    take = cg._take
    monkeypatch.setattr(cg, "_take", lambda c, i: left.append(len(i)) or take(c, i))
    apart = solve()
    assert min(left) < 12  # some did stay behind
    monkeypatch.setattr(cg, "_take", take)
    method = method._replace(static=True)  # XLA refuses shapes that depend on values
    masked = tf.function(solve, jit_compile=True, autograph=False)()
    assert int(masked.iterations) == int(together.iterations)
    np.testing.assert_allclose(masked.value, together.value, rtol=1e-9, atol=1e-12)
    assert int(apart.iterations) == int(together.iterations)
    np.testing.assert_allclose(apart.value, together.value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(apart.residual, together.residual, rtol=1e-5)


@given(
    n=st.integers(1, 40),
    l=st.integers(1, 30),
    m=st.integers(1, 6),
    alpha=st.floats(1e-4, 10.0),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=30, deadline=None)
def test_any_shape(n: int, l: int, m: int, alpha: float, seed: int) -> None:
    H, P, g = problem(n, l, m, seed)
    reference = dense(H, P, g, alpha)
    for solver in EXACT:
        assert error(natural_gradient(H, P, g, alpha, solver), reference) < 1e-6, solver


def test_large_damping_gives_the_gradient() -> None:
    H, P, g = problem(50, 8, 4)
    assert error(natural_gradient(H, P, g, 1e8), g) < 1e-6


def test_no_damping_gives_a_newton_step() -> None:
    """For one logistic layer, F⁻¹g is a step of iteratively reweighted least squares."""
    rng = np.random.default_rng(3)
    H, _, _ = problem(200, 5, 3)
    W = 0.3 * rng.standard_normal((6, 3))
    P = sigmoid(H @ W)
    y = (rng.uniform(size=P.shape) < P).astype(float)
    g = H.T @ (y - P) / len(H)
    step = natural_gradient(H, P, g, 1e-10, "cholesky")
    for j in range(3):
        w = P[:, j] * (1 - P[:, j])
        working = H @ W[:, j] + (y[:, j] - P[:, j]) / w
        newton = np.linalg.solve(H.T @ (w[:, None] * H), H.T @ (w * working))
        np.testing.assert_allclose(W[:, j] + step[:, j], newton, rtol=1e-6)


def test_repeated_rows_change_nothing() -> None:
    """The S samples of an image share the parents x: B rows give the block of B·S."""
    H, P, g = problem(12, 30, 5)
    again = np.tile(H, (7, 1)), np.tile(P, (7, 1))
    assert error(natural_gradient(*again, g, 0.05), natural_gradient(H, P, g, 0.05)) < 1e-6


@pytest.mark.parametrize("solver", EXACT)
def test_bad_input_is_refused(solver: str) -> None:
    H, P, g = problem(10, 4, 3)
    for bad, text in [
        ((H, P, g, -1.0), "damping"),
        ((H, P, g, float("nan")), "damping"),
        ((H[:, :-1], P, g, 0.1), "do not fit"),
        ((H * 2, P, g, 0.1), "column of ones; found 2.0"),
        ((np.where(np.arange(10)[:, None] == 4, 3, H), P, g, 0.1), "column of ones; found 3.0"),
        ((H, P + 1, g, 0.1), "probs"),
        ((H, P, np.where(g > 1, np.nan, g), 0.1), "finite"),
        ((H, P, g, "0.1"), "damping: found '0.1'"),
        ((H, P, g, [0.1, 0.2]), "damping"),
        ((H, P, g, 10**400), "damping: found 10"),
        *(((H, P, g, yes), "damping: found") for yes in YES),
        ((H, P[:, :0], g[:, :0], 0.1), "do not fit"),
        ((H[:, 0], P, g, 0.1), "parents: .*1 dimensions"),
        (([[1.0], [1.0, 2.0]], P, g, 0.1), "parents: give a matrix"),
        ((H, P, g + 1j, 0.1), "grad: .*complex128"),
        ((H, P, np.ma.masked_greater(g, 0), 0.1), "grad: .*masked"),
        ((H, P, [["a"]], 0.1), "grad: give a matrix"),
    ]:
        with pytest.raises(NwsError, match=text):
            natural_gradient(*bad, solver)
    natural_gradient(H, P, g, 0.1, solver, iterations=50.0)  # a whole number
    texts = [("tolerance", "a"), ("tolerance", 0.0), *(("tolerance", yes) for yes in YES)]
    wholes = [("iterations", value) for value in (2.5, 2**31, 2**32 + 5, 1e20, 10**400, *YES)]
    for name, value in (*texts, *wholes):
        with pytest.raises(NwsError, match=f"natural_gradient: {name}: found"):
            natural_gradient(H, P, g, 0.1, solver, **{name: value})


@pytest.mark.parametrize("solver", EXACT)
def test_the_size_of_a_gradient_changes_no_bit(solver: str) -> None:
    """Not even where squares of its entries are 0 or infinite."""
    H, P, g = problem(30, 20, 3)
    expected = natural_gradient(H, P, g, 0.1, solver)
    for size in (-900, -600, 600, 1000):
        found = natural_gradient(H, P, np.ldexp(g, [size, 0, -size]), 0.1, solver)
        np.testing.assert_array_equal(found, np.ldexp(expected, [size, 0, -size]))
    nothing = natural_gradient(H, P, g * [0, 1, 0], 0.1, solver)
    np.testing.assert_array_equal(nothing, expected * [0, 1, 0])


def test_a_damping_that_rounding_drowns_is_refused() -> None:
    """Woodbury's formula loses all digits there: its result was wrong by 160 times its size."""
    H, P, g = problem(100, 20, 3)
    with pytest.raises(NwsError, match=r"woodbury: the result has a relative residual .* raise it"):
        natural_gradient(H, P, g, 1e-10, "woodbury")
    assert error(natural_gradient(H, P, g, 1e-10, "cholesky"), dense(H, P, g, 1e-10)) < 1e-6
    zero = np.zeros_like(g)
    np.testing.assert_array_equal(natural_gradient(H, P, zero, 0.1), zero)


def test_whole_gradients_have_broken_solutions() -> None:
    H = np.ones((4, 2))
    found = natural_gradient(H, np.full((4, 1), 0.5), np.array([[1], [0]]), 0.1)
    np.testing.assert_allclose(found[:, 0], [6.41667, -4.58333], rtol=1e-5)
    same = natural_gradient(H, np.full((4, 1), 0.5), np.array([[True], [False]]), 0.1)
    np.testing.assert_array_equal(same, found)


def test_unknown_solver_and_too_few_iterations() -> None:
    H, P, g = problem(30, 20, 3)
    with pytest.raises(NwsError, match="allowed: auto, cholesky"):
        natural_gradient(H, P, g, 0.1, "lu")
    with pytest.raises(NwsError, match=r"allowed: auto, cholesky, woodbury, cg$"):
        natural_gradient(H, P, g, 0.1, "shared")  # no exact one
    with pytest.raises(NwsError, match="residual"):
        natural_gradient(H, P, g, 1e-4, "cg", iterations=2)


def test_a_result_beyond_the_kind_of_the_gradient_is_told() -> None:
    """5 samples of 13 parameters: 1/α times a gradient that single precision just holds."""
    H, P, _ = problem(5, 12, 7)
    g = np.full((13, 7), 1e36)
    assert np.isfinite(natural_gradient(H, P, g, 1e-4)).all()
    with pytest.raises(NwsError, match="beyond float32"):
        natural_gradient(H, P, g.astype(np.float32), 1e-4)
    with pytest.raises(NwsError, match="beyond float64; scale it down"):
        natural_gradient(H, P, g * 1e270, 1e-4)


def test_a_solution_that_is_not_finite_says_so() -> None:
    H, P, g = (tf.constant(a, tf.float32) for a in problem(20, 6, 3))
    method = choose("cg", 20, 7, 3)
    broken = tf.where(tf.range(7)[:, None] == 2, np.inf, g)
    solution = method.solve(method.factor(H, P * (1 - P) / 20, tf.constant(0.1)), broken)
    assert not bool(solution.finite)


def test_result_keeps_the_type_of_the_gradient() -> None:
    H, P, g = problem(10, 4, 3)
    assert natural_gradient(H, P, g.astype(np.float32), 0.1).dtype == np.float32
    assert natural_gradient(H, P, tf.constant(g, tf.float32), 0.1).dtype == np.float32
