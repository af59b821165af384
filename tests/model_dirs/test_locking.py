"""One process at a time, also beside processes that lock the same file with flock in another way."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

from kimi_tokenizers.errors import FolderError
from kimi_tokenizers.model_dirs import Folder, only_process

# Takes the lock, says so, and holds it until its input ends.
HOLD = """\
import sys
from pathlib import Path
from kimi_tokenizers.model_dirs import Folder, only_process
with Folder.open(Path(sys.argv[1]).parent) as folder, only_process(folder, Path(sys.argv[1]).name):
    print("held", flush=True)
    sys.stdin.read()
"""
# As filelock does: it opens the file to write, empties it, and takes the same flock.
HOLD_OTHERWISE = """\
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_TRUNC | os.O_CREAT, 0o644)
fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locked(path: Path, *seconds: float) -> Iterator[None]:
    with Folder.open(path.parent) as folder, only_process(folder, path.name, *seconds):
        yield


def holder(program: str, lock: Path) -> subprocess.Popen[str]:
    """A process that holds a lock by the time this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("program", [HOLD, HOLD_OTHERWISE])
def test_one_process_waits_for_another(tmp_path: Path, program: str) -> None:
    lock = tmp_path / "lock"
    other = holder(program, lock)
    with (
        pytest.raises(TimeoutError, match="another process has held this lock for 0 s") as caught,
        locked(lock, 0.1),
    ):
        pass
    assert caught.value.filename == str(lock)
    threading.Timer(0.2, other.communicate).start()
    with locked(lock):
        assert other.wait(10) == 0


def test_a_killed_process_locks_nobody_out(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    other = holder(HOLD, lock)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    with locked(lock, 5):
        pass
    assert lock.exists()


def test_who_locks_otherwise_waits_for_us(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with locked(lock):
        done = subprocess.run([sys.executable, "-c", HOLD_OTHERWISE, str(lock)], capture_output=True, text=True)
        assert "BlockingIOError" in done.stderr
    other = holder(HOLD_OTHERWISE, lock)
    other.communicate()
    assert other.returncode == 0


def test_threads_exclude_each_other(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with locked(tmp_path / "lock"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_file_that_was_replaced_meanwhile_counts_for_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    other = holder(HOLD, lock)
    entered = threading.Event()

    def wait() -> None:
        with locked(lock):
            entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    lock.unlink()
    with locked(lock):  # the new file
        other.communicate()  # the old file is free now
        assert not entered.wait(0.3)
    waiting.join(10)
    assert entered.is_set()


def test_no_folder_and_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "missing" / "lock"):
        pass
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match="is a link, not a file"), locked(tmp_path / "link"):
        pass
    assert not (tmp_path / "elsewhere").exists()

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="No locks available"), locked(tmp_path / "lock"):
        pass


def test_what_goes_wrong_inside_frees_the_lock_and_is_not_hidden(tmp_path: Path) -> None:
    before = set(os.listdir("/dev/fd"))
    with pytest.raises(FileNotFoundError, match="inside"), locked(tmp_path / "lock"):
        raise FileNotFoundError("inside")
    with locked(tmp_path / "lock", 0.1):
        pass
    assert set(os.listdir("/dev/fd")) == before
