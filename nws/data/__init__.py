"""Data sets: fetched and verified, made binary, kept in one .npz each (NumPy only)."""

from nws.data.datasets import build
from nws.data.fetch import Mnist, mnist
from nws.data.store import Dataset, load, load_provenance, save

__all__ = ["Dataset", "Mnist", "build", "load", "load_provenance", "mnist", "save"]
