"""Sigmoid belief networks and the Helmholtz machine made of two of them."""
