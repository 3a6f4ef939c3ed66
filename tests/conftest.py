"""Shared by all tests: quiet TensorFlow, no GPU, and nothing from the user's environment."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("MPLBACKEND", "Agg")
