"""Training: the compiled loop, checkpoints, histories, and runs as jobs."""
