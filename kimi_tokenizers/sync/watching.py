"""`sync --watch`: the overlay stays applied while exo downloads and removes files.

At most one sync a second for each model directory; whatever happens in between is handled in one go. It ends on
SIGTERM and SIGINT, and must never end in the middle of a change. It changes nothing itself: its caller syncs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from kimi_tokenizers.errors import KimiTokenizersError, SyncError
from kimi_tokenizers.model_dirs import Model, find_models
from kimi_tokenizers.sync.names import every_name

SECONDS = 1.0
"""The least time between two syncs of one model directory."""

_QUIET_MS = 200  # how long it has to be quiet before changes are looked at
_STEP_MS = 50
_WAKE_MS = 250  # how often to check whether something that had to wait is due


def watch(
    models_dirs: Sequence[str],
    sync: Callable[[Model], None],
    *,
    hf_cache: bool = False,
    model_ids: Sequence[str] = (),
    ready: Callable[[Sequence[Path]], None] = lambda paths: None,
) -> None:
    """Call `sync` for every model now, and for each again whenever one of its files changes, until a signal comes.

    Args:
        sync: syncs one model, and deals with the problems of that itself.
        ready: called once everything is watched, with the models dirs.

    Raises:
        KimiTokenizersError: watchfiles is not installed, or there is no models dir to watch.
    """
    watchfiles = _watchfiles()
    search = find_models(models_dirs, hf_cache=hf_cache)
    if not search.searched:
        raise SyncError(" ".join(search.problems) or "There is no models dir to watch. Give one.")
    stop = threading.Event()
    due = _Schedule(SECONDS)
    with _stopped_by_signals(stop):
        changes = watchfiles.watch(
            *search.searched,
            watch_filter=lambda _change, path: is_relevant(path),
            debounce=_QUIET_MS,
            step=_STEP_MS,
            rust_timeout=_WAKE_MS,
            yield_on_timeout=True,
            stop_event=stop,
            raise_interrupt=False,
        )
        models: list[Model] = []
        first = True
        for batch in changes:  # an empty one, every now and then, too
            if first or batch:
                models = find_models(models_dirs, hf_cache=hf_cache, model_ids=model_ids).models
                due.add(str(model.path) for model in models if first or _touches(model, batch))
            if first:
                ready(search.searched)
                first = False
            now = set(due.take())
            for model in models:
                if str(model.path) in now and not stop.is_set():
                    sync(model)


def is_relevant(path: str) -> bool:
    """Whether a change at a path can matter: a tokenizer file, or a folder that is named like a model."""
    name = os.path.basename(path)
    return (
        name in (*every_name(), "config.json", "tokenizer.json")
        or name.endswith(".safetensors.index.json")
        or "kimi" in name.lower()
    )


def _touches(model: Model, batch: Iterable[tuple[Any, str]]) -> bool:
    real = os.path.realpath(model.path)
    return any(os.path.realpath(path) == real or os.path.realpath(os.path.dirname(path)) == real for _, path in batch)


class _Schedule:
    """What is due, and when each was last done."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._due: set[str] = set()
        self._done: dict[str, float] = {}

    def add(self, keys: Iterable[str]) -> None:
        self._due.update(keys)

    def take(self) -> list[str]:
        """Those that may be done now; the others wait."""
        now = self._clock()
        taken = [key for key in sorted(self._due) if now - self._done.get(key, -self._seconds) >= self._seconds]
        self._due.difference_update(taken)
        self._done.update(dict.fromkeys(taken, now))
        return taken


@contextlib.contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop` instead of ending the process. Only in the main thread, as Python requires."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watchfiles() -> Any:
    try:
        import watchfiles
    except ImportError as error:
        raise KimiTokenizersError(
            f"Watching needs watchfiles, and importing it failed ({error}). Run: pip install 'kimi-tokenizers[watch]'"
        ) from error
    return watchfiles
