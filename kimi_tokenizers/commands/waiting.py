"""A sign of life on standard error while something takes long, on terminals only: a spinner, or how far it has come.

It appears after half a second and leaves no trace. `output.emit` takes it away before it writes a line.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from types import TracebackType

from kimi_tokenizers.commands.output import redraw, wipe
from kimi_tokenizers.escaping import escaped

_AFTER = 0.5  # seconds until it appears
_EVERY = 0.1
_SIGNS = "|/-\\"


class Waiting:
    """A sign of life for as long as the context lasts.

    >>> with Waiting("examining", 3) as waiting:
    ...     for model in models:
    ...         waiting.next(model.model_id)
    """

    def __init__(self, what: str, total: int = 0) -> None:
        self._what, self._total, self._done, self._detail = what, total, 0, ""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Waiting:
        if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        return self

    def next(self, detail: str) -> None:
        """Say that the next of `total` things has begun."""
        self._done += 1
        self._detail = escaped(detail)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        wipe()

    def text(self) -> str:
        """What it says."""
        share = f" {100 * (self._done - 1) // self._total}%" if self._total > 1 and self._done else ""
        return f"{self._what}{share} {self._detail}".rstrip()

    def _run(self) -> None:
        if self._ended.wait(_AFTER):
            return
        turn = 0
        while not self._ended.is_set():
            width = shutil.get_terminal_size().columns - 1
            redraw(f"{_SIGNS[turn % len(_SIGNS)]} {self.text()}"[:width])
            turn += 1
            self._ended.wait(_EVERY)
