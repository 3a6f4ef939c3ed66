"""How far a long work is: a bar on a terminal, plain lines with the time left in a log."""

import sys
import time

from tqdm import tqdm


def clock(seconds: float) -> str:
    """1:02:03, or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Reporter:
    """Counts ``total`` units of work from ``done`` on; in a log, a line every ``every`` seconds."""

    def __init__(
        self, label: str, total: int, done: int = 0, every: float = 10.0, unit: str = "step"
    ) -> None:
        self.label, self.total, self.start, self.every = label, total, done, every
        self.began = time.monotonic()
        self.last = self.began - every
        terminal = sys.stderr.isatty()
        self.bar = tqdm(desc=label, total=total, initial=done, unit=unit) if terminal else None

    def update(self, done: int, text: str) -> None:
        """``done`` units are finished; ``text`` says what the last ones gave."""
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(done - self.bar.n)
            return
        now = time.monotonic()
        if now - self.last < self.every and done < self.total:
            return
        self.last = now
        pace = (now - self.began) / max(1, done - self.start)
        left = clock(pace * (self.total - done))
        print(f"{self.label}: {done}/{self.total} {text}, {left} left", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
