"""Wake-Sleep (WS): p learns from q's samples, all weighed alike; q learns from p's dreams."""

import tensorflow as tf

from nws.algorithms.base import Options, Step, evidence, p_wake, q_sleep
from nws.models import importance
from nws.models.helmholtz import dream, explain, recognise
from nws.models.parameters import Parameters
from nws.models.random import Key


def wake_sleep(params: Parameters, x: tf.Tensor, key: Key, options: Options) -> Step:
    """One step of WS on x (B, l[0]) in ±1: p-wake with weights 1/S, q-sleep at full weight."""
    samples, coding, rows = options.samples, options.coding, options.samples * x.shape[0]
    sampled = recognise(params, x, samples, key, coding)
    explained = explain(params, sampled, coding)
    dreamt = dream(params, rows, key, coding)
    uniform = tf.fill([samples, x.shape[0]], tf.constant(1.0 / rows, x.dtype))
    p, prior = p_wake(sampled, explained, uniform, options.scale)
    q = q_sleep(params, dreamt, options.scale / rows, coding.clip)
    bound = importance.log_likelihood(explained.log_p - sampled.log_q)
    return Step(Parameters(p, prior, q), bound, evidence(sampled, dreamt))
