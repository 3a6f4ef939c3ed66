"""Files: whole or not there, their hashes, and arrays without pickle."""
