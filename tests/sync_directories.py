"""Model directories that `sync` has much to do in, and ways to compare, disturb and kill what works on them."""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import signal
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from disk_faults import light_overlay
from layouts import write_layout

from kimi_tokenizers import catalogue
from kimi_tokenizers.errors import SyncError
from kimi_tokenizers.model_dirs import Folder
from kimi_tokenizers.sync import journal
from kimi_tokenizers.sync.names import FOLDER as RECORD
from kimi_tokenizers.sync.names import every_name

MODEL = "moonshotai/Kimi-K2.6"
FOLDER = "moonshotai--Kimi-K2.6"
OVERLAY = catalogue.get(MODEL)
LIGHT = light_overlay()
OLD_PYTHON = b"class TikTokenTokenizer:\n    'An old copy of the slow tokenizer, made read-only by hand.'\n"
OLD_NS = 1_600_000_000_123_456_789

_link = os.link  # as it is, whatever a test replaces

Snapshot = dict[str, tuple[Any, ...]]


def broken(models_dir: Path) -> Path:
    """As upstream left it on 2026-05-11."""
    return write_layout(models_dir / FOLDER, "broken")


def mixed(models_dir: Path) -> Path:
    """Of everything something: a file that is missing, one that is read-only and hard-linked, one that is a link."""
    model_dir = broken(models_dir)
    blobs = models_dir / "blobs"
    blobs.mkdir()
    (model_dir / "tokenizer_config.json").rename(blobs / "config")
    (model_dir / "tokenizer_config.json").symlink_to("../blobs/config")
    os.utime(model_dir / "tokenizer_config.json", ns=(OLD_NS, OLD_NS), follow_symlinks=False)
    (blobs / "python").write_bytes(OLD_PYTHON)
    os.utime(blobs / "python", ns=(OLD_NS, OLD_NS))
    (blobs / "python").chmod(0o440)
    _link(blobs / "python", model_dir / "tokenization_kimi.py")
    (model_dir / "tool_declaration_ts.py").write_bytes(b"def encode_tools_to_typescript_style(tools):\n    return ''\n")
    return model_dir


def snapshot(folder: Path) -> Snapshot:
    """Everything below a directory: content, inode, mode and modification time; targets of links."""
    found: Snapshot = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        name = os.fsdecode(os.fsencode(path.relative_to(folder)))
        if path.is_symlink():
            found[name] = ("link", os.readlink(path), status.st_mtime_ns)
        elif path.is_dir():
            found[name] = ("directory", status.st_mode)
        else:
            found[name] = ("file", path.read_bytes(), status.st_mode, status.st_mtime_ns, status.st_ino)
    return found


def assert_same(after: Snapshot, before: Snapshot, *, inodes: bool = True) -> None:
    """Everything is as it was, and nothing is there that was not; without `inodes`, files may be copies."""
    assert sorted(set(before) ^ set(after)) == []
    for name, value in before.items():
        kept = after[name] if inodes else after[name][:4]
        assert kept == (value if inodes else value[:4]), f"{name} is not as before"


def half_done(model_dir: Path) -> bool:
    """Whether a process that was killed left something to clean up."""
    with Folder.open(model_dir) as folder:
        return journal.is_half_done(folder)


def assert_whole(model_dir: Path, before: Snapshot, *, exchange: bool = True) -> None:
    """Every tokenizer file is as it was or as it shall be; none that was there is missing.

    Without `exchange`, what was there may be missing in its place for a moment; then it is beside it.
    """
    for name in LIGHT.files:
        old = before.get(f"{model_dir.name}/{name}")
        was = None if old is None else _content(model_dir, old)
        if exchange:
            assert read(model_dir / name) in {LIGHT.read(name), was}, f"{name} is torn or lost"
        else:
            assert was is None or was in contents(model_dir, name), f"{name} is lost"


def contents(model_dir: Path, name: str) -> Iterator[bytes]:
    """The contents of a file and of all that is kept of it; in this order, in which one moves, none is missed."""
    for pattern in (name, f"{RECORD}-*{name}.tmp", f"{RECORD}/backup/*-{name}", f"{name}.kept-*"):
        for path in list(model_dir.glob(pattern)):
            linked = path if path.parent == model_dir else path.parent
            content = read(model_dir / os.readlink(path) if path.is_symlink() and linked != path else path)
            if content is not None:
                yield content


def read(path: Path) -> bytes | None:
    """Content of a file that others may be moving about; None if there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def replaced_as_exo_does(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def refusal(work: Callable[[], Any]) -> SyncError | None:
    """The error that something is refused with; None if it is done."""
    try:
        work()
    except SyncError as error:
        return error
    return None


def _content(model_dir: Path, old: tuple[Any, ...]) -> bytes:
    content: bytes = old[1] if old[0] == "file" else (model_dir / old[1]).read_bytes()
    return content


def assert_others_untouched(model_dir: Path, before: Snapshot) -> None:
    """What is not a tokenizer file, in the directory and beside it, is what it was."""
    after = snapshot(model_dir.parent)
    for name, value in before.items():
        if name.removeprefix(f"{model_dir.name}/") not in every_name():
            assert after[name] == value, f"{name} was changed"


def forked(work: Callable[[], Any]) -> Any:
    """Run in a process of its own; its result, or the exception it raised, comes back."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                result: Any = work()
            except BaseException as error:  # whatever it is, it is the result
                result = error
            with open(write, "wb") as stream:
                pickle.dump(result, stream)
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as stream:
        data = stream.read()
    assert os.waitpid(child, 0)[1] == 0
    return pickle.loads(data)


class Spawned:
    """A process that does something again and again, until the block ends; it is killed then, wherever it is."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._rounds = mmap.mmap(-1, 8)
        self._child = os.fork()
        if self._child == 0:
            try:
                while True:
                    work()
                    self._rounds[:8] = (self.rounds + 1).to_bytes(8, "little")
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)

    @property
    def rounds(self) -> int:
        """How often it has been done."""
        return int.from_bytes(self._rounds[:8], "little")

    def __enter__(self) -> Spawned:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._child, signal.SIGKILL)
        status = os.waitpid(self._child, 0)[1]
        assert kind is not None or os.WIFSIGNALED(status), "it failed before it was killed"


def as_other_user(work: Callable[[], Any]) -> Any:
    """Run as somebody who owns nothing; where one cannot become somebody else, as oneself."""

    def work_as_other() -> Any:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        return work()

    return forked(work_as_other)


@contextlib.contextmanager
def small_disk(folder: Path, size: int, options: str = "") -> Iterator[bool]:
    """A disk of that many bytes mounted at a directory, where this process may; says whether it is."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}{options}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    mounted = done.returncode == 0
    try:
        yield mounted
    finally:
        for _ in range(50 if mounted else 0):
            if subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
