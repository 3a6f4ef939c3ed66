"""How good a model is: importance-sampled and exact log-likelihoods."""
