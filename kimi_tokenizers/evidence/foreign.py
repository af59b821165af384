"""The tokenizer that a model directory's own Python makes, by exo's steps: on a copy, in a process with limits.

Only called where the user has said that this Python may run, or where it is the overlay's own. See `limited` for what
the process gets and may use, and `copying` for what of the directory it sees.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.evidence import limited
from kimi_tokenizers.evidence.copying import private_copy
from kimi_tokenizers.model_dirs import TokenizerFiles

SECONDS = 600
"""For loading, or one batch of texts: downloaded Python may be slow."""


class Process(limited.Process):
    """A directory's own tokenizer, running. Raises LimitedError where it cannot be loaded, and ModelDirError."""

    def __init__(self, model_dir: Path, line: str) -> None:
        with contextlib.ExitStack() as kept:
            with TokenizerFiles(model_dir) as directory:
                copy = kept.enter_context(private_copy(catalogue.overlays()[line], directory, trusted=True))
            super().__init__("exo", b"", _arguments(copy, line), seconds=SECONDS)
            self._kept = kept.pop_all()

    def close(self) -> None:
        """End the process, and remove the copy."""
        super().close()
        getattr(self, "_kept", contextlib.ExitStack()).close()


def check_like_exo(copy: Path, line: str) -> list[str]:
    """What exo's loading steps and rules find wrong with tokenizer files; [] if nothing.

    Args:
        copy: a folder with the tokenizer files and nothing else, as `private_copy` makes it.
    """
    try:
        limited.Process("check", b"", _arguments(copy, line), seconds=SECONDS).close()
    except limited.LimitedError as error:
        return [str(error)]
    return []


def _arguments(copy: Path, line: str) -> dict[str, str]:
    return {"directory": os.path.abspath(copy), "line": line}
