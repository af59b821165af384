"""What can go wrong with a disk or a process at every single change of the disk: it is killed, the disk is full.

Run as a program, it is a server that forks a process for each request: a small one, so that hundreds can be killed.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from kimi_tokenizers import catalogue, sync
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import renaming

# What changes a disk, and is called through the module `os` everywhere; and the one call that is not.
_CALLS = (
    "open",
    "write",
    "fsync",
    "fchmod",
    "chmod",
    "link",
    "symlink",
    "rename",
    "replace",
    "unlink",
    "mkdir",
    "rmdir",
    "utime",
)
NEEDS_SPACE = frozenset({"open", "write", "fsync", "link", "symlink", "mkdir"})

Patch = Callable[[Any, str, Any], None]
Before = Callable[[str, tuple[Any, ...]], None]


def light_overlay() -> Overlay:
    """The overlay of Kimi-K2.6 with a rank table of a few bytes, for what is done some hundred times over."""
    overlay = catalogue.get("moonshotai/Kimi-K2.6")
    table = overlay.files["kimi_line.json"]
    files = {**overlay.files, "tiktoken.model": type(table)("tiktoken.model", table.source, table.size, table.sha256)}
    return Overlay(overlay.line, overlay.models, files, overlay.upstream)


def no_exchange(patch: Patch = setattr) -> None:
    """As on a system that can neither exchange two names nor move to a free one in one step."""
    patch(renaming, "rename_call", lambda: None)


def no_moves(patch: Patch = setattr) -> None:
    """As on a file system that can do neither, under a system that can."""
    patch(renaming, "renamed", lambda *_arguments: False)


def no_links(patch: Patch = setattr) -> None:
    """As on a file system without hard links."""

    def no_link(source: Any, target: Any, **_options: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    patch(os, "link", no_link)


DISKS: dict[str, tuple[Callable[..., None], ...]] = {
    "exchange": (),
    "links": (no_exchange,),
    "neither": (no_exchange, no_links),
    "no-links": (no_links,),
}
"""What a disk may be able to do, and what stands in for one that can no more than that."""


def no_flushing(patch: Patch = setattr) -> None:
    """No machine goes down here."""
    patch(os, "fsync", lambda descriptor: None)


def intercept(before: Before, patch: Patch = setattr) -> None:
    """Call `before` before every call that changes the disk."""

    def around(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name != "open" or arguments[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
                before(name, arguments)
            return original(*arguments, **options)

        return call

    for name in _CALLS:
        patch(os, name, around(name, getattr(os, name)))
    patch(renaming, "renamed", around("renamed", renaming.renamed))


class KillSwitch:
    """Kills this process at the n-th point: before each change of the disk, and amid each writing.

    After a change is before the next one; the last thing that is done is to flush, which changes nothing.
    """

    def __init__(self, number: int) -> None:
        self.left = number
        self._write = os.write

    def before(self, name: str, arguments: tuple[Any, ...]) -> None:
        self._point()
        if name == "write":
            if self.left == 1:
                self._write(arguments[0], arguments[1][: len(arguments[1]) // 2])
            self._point()

    def _point(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DiskFull:
    """Makes the n-th change of the disk fail; with `for_good` all that need space, from the n-th of those on."""

    def __init__(self, number: int, *, for_good: bool) -> None:
        self.left = number
        self.for_good = for_good
        self.hit = False

    def before(self, name: str, arguments: tuple[Any, ...]) -> None:
        if self.for_good and name not in NEEDS_SPACE:
            return
        self.left -= 1
        if self.left == 0 or (self.for_good and self.left < 0):
            self.hit = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Killer:
    """A server that runs `sync` and `restore` in processes of their own, and has them killed at a point."""

    def __init__(self, disk: str = "exchange") -> None:
        self._server = subprocess.Popen(
            [sys.executable, __file__, disk],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def __enter__(self) -> Killer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()

    def kills(self, what: str, model_dir: Path, number: int) -> bool:
        """Do "sync" or "restore", and be killed at the n-th point; False if it was done before it came to that."""
        self._ask(what, model_dir, number)
        self._answer()  # its process id
        status = self._answer()
        assert status in (0, signal.SIGKILL), f"{what} failed"
        return status != 0

    def kills_after(self, seconds: float, model_dir: Path) -> None:
        """Sync and restore in turns, and be killed from outside after a while."""
        self._ask("both", model_dir, 0)
        child = self._answer()
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        assert self._answer() == signal.SIGKILL, "sync or restore failed"

    def _ask(self, what: str, model_dir: Path, number: int) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps([what, str(model_dir), number]).encode() + b"\n")
        self._server.stdin.flush()

    def _answer(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())


def _serve() -> None:
    overlay = light_overlay()
    for line in sys.stdin:
        what, model_dir, number = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if number:
                    intercept(KillSwitch(number).before)
                while True:
                    if what != "restore":
                        sync.apply(sync.plan(overlay, model_dir))
                    if what != "sync":
                        sync.restore(model_dir)
                    if what != "both":
                        break
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    no_flushing()
    for less in DISKS[sys.argv[1]]:
        less()
    _serve()
