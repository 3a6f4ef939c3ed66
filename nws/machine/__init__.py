"""The machine: its devices, a GPU for each job, and its memory."""
