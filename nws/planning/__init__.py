"""How many runs there are, how long they take, and how far they are."""
