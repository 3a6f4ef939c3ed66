"""The bidirectional Helmholtz machine (BiHM): p and q meet in p*(x, h) ∝ √(p(x, h) p*(x) q(h|x)).

Source: Bornschein, Shabanian, Fischer and Bengio, "Bidirectional Helmholtz Machines", 2016.
"""

import tensorflow as tf

from nws.algorithms.base import Evidence, Options, Step, evidence, p_wake, q_wake
from nws.models import importance
from nws.models.helmholtz import dream, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key


def bihm(params: Parameters, x: tf.Tensor, key: Key, options: Options) -> Step:
    """One step uphill on log p̃*(x) = 2 log Σ_h √(p(x, h) q(h|x)), for x (B, l[0]) in ±1.

    Weights are those of RWS with the log-ratio halved, ω̃ ∝ √(p(x, h)/q(h|x)). p: ω̃; q: awake
    alone, ω̃ - 1/S (the baseline). ``q_wake`` is not read: q never learns asleep. log Z, which
    only a sleep phase could see, is left out: it is at most 0.
    """
    samples, coding, batch = options.samples, options.coding, x.shape[0]
    sampled = recognise(params, x, samples, key, coding)
    explained = explain(params, sampled, coding)
    log_w = explained.log_p - sampled.log_q
    weights = importance.normalised(0.5 * log_w)
    p, prior = p_wake(sampled, explained, weights / batch, options.scale)
    centred = weights - 1.0 / samples if options.baseline else weights
    q = q_wake(sampled, centred / batch, options.scale)
    bound = importance.log_likelihood(log_w)
    if not options.fisher:  # a third of the time, for dreams that no gradient needs
        return Step(Parameters(p, prior, q), bound, Evidence((), explained.prior_mu, ()))
    dreamt = dream(params, samples * batch, key, coding)
    return Step(Parameters(p, prior, q), bound, evidence(sampled, dreamt))
