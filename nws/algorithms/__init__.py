"""Wake-Sleep, Reweighted Wake-Sleep, and the natural gradient that wraps either."""
