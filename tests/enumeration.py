"""Every hidden state of a tiny machine, in place of samples."""

import numpy as np
import tensorflow as tf
from machines import all_hidden

from nws.models import sbn
from nws.models.helmholtz import Coding, Recognised
from nws.models.parameters import Parameters

TINY = Coding("pm1", 1e-6)


def every_state(params: Parameters, x: np.ndarray) -> Recognised:
    """All hidden states as if they had been sampled for one x, with log q left at zero."""
    h = [tf.constant(x[None], tf.float32)]
    h += [tf.constant(a, tf.float32) for a in all_hidden(params.layers)]
    parents = tuple(sbn.augment(a) for a in h)
    mu = tuple(sbn.mean(p, W, 1e-6) for p, W in zip(parents, params.q, strict=False))
    return Recognised(tuple(h), parents, mu, tf.zeros([len(h[1]), 1]))
