"""Reweighted Wake-Sleep (RWS): samples weighed by ω̃; q learns awake and asleep."""

import tensorflow as tf

from nws.algorithms.base import Options, Step, evidence, p_wake, q_sleep, q_wake
from nws.models import importance
from nws.models.helmholtz import dream, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key


def reweighted(params: Parameters, x: tf.Tensor, key: Key, options: Options) -> Step:
    """One step of RWS on x (B, l[0]) in ±1 (Eqs. 1-4).

    p: weights ω̃. q: ``q_wake`` times the wake update, with weights ω̃ - 1/S (the baseline), plus
    ``q_sleep`` (by default: the rest) times the sleep update.
    """
    samples, coding, batch = options.samples, options.coding, x.shape[0]
    sampled = recognise(params, x, samples, key, coding)
    explained = explain(params, sampled, coding)
    dreamt = dream(params, samples * batch, key, coding)
    log_w = explained.log_p - sampled.log_q
    weights = importance.normalised(log_w)
    p, prior = p_wake(sampled, explained, weights / batch, options.scale)
    q = q_sleep(params, dreamt, options.asleep * options.scale / (samples * batch), coding.clip)
    if options.q_wake:
        centred = weights - 1.0 / samples if options.baseline else weights
        awake = q_wake(sampled, centred * (options.q_wake / batch), options.scale)
        q = tuple(map(tf.add, awake, q))
    bound = importance.log_likelihood(log_w)
    return Step(Parameters(p, prior, q), bound, evidence(sampled, dreamt))
