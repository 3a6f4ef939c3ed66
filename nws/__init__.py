"""Helmholtz machines trained by Natural (Reweighted) Wake-Sleep."""
