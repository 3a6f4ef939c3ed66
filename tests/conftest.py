"""Shared by all tests: quiet TensorFlow, no GPU, and nothing from the user's environment."""

import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("MPLBACKEND", "Agg")

# Python started in the background ignores SIGINT, and so would its tests of Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
