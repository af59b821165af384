"""The cache: whole entries or none, whatever else happens to it: many processes, kills, damage, no place to write."""

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import OVERLAYS

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import CacheError, KimiTokenizersError, OverlayError
from kimi_tokenizers.model_dirs import cache_root
from kimi_tokenizers.resolver import Content, cache

MODEL = "moonshotai/Kimi-K2.6"
PROCESSES = 32
KILLS = 60
SEED = 20260511
NOBODY = 65534

# Of the processes that the tests start: the package may not be installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(OVERLAYS.parent)}
ENVIRONMENT.pop(cache.CACHE_VARIABLE, None)

FILES = {"a.json": b"{}", "tiktoken.model": b"IQ== 0\n" * 1000, "name with\nnewline.json": b"[]"}
SUMS = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the cache is for this test. It does not exist yet."""
    path = tmp_path / "cache"
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(path))
    cache._private.cache_clear()  # what an earlier test could not write to is another directory
    return path


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "moonshotai--Kimi-K2.6"
    path.mkdir(parents=True)
    (path / "config.json").write_text('{"vocab_size": 163840}')
    (path / "generation_config.json").write_text('{"max_length": 7}')
    return path


def reads() -> tuple[Callable[[str], bytes], list[str]]:
    """A `read` for `cache.entry`, and the list of names that it was asked for."""
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return FILES[name]

    return read, asked


def read(name: str) -> bytes:
    return FILES[name]


class Given(Content):
    """Content that is read by a function of its name."""

    def __init__(self, name: str, digest: str, read: Callable[[str], bytes], private: bool) -> None:
        super().__init__(b"", digest, private)
        object.__setattr__(self, "_read", functools.partial(read, name))

    def read(self) -> bytes:
        return self._read()  # type: ignore[attr-defined,no-any-return]


def entry_of(sums: Mapping[str, str], read: Callable[[str], bytes], *, private: bool = False) -> Path:
    return cache.entry({name: Given(name, digest, read, private) for name, digest in sums.items()})


def content(entry: Path) -> dict[str, bytes]:
    """Every file of an entry but the stamp and the empty `__pycache__`."""
    ours = (".kimi-tokenizers.json", "__pycache__")
    return {path.name: path.read_bytes() for path in entry.iterdir() if path.name not in ours}


def entries(root: Path) -> list[str]:
    """Whatever lies beside the entries, too; the lock is not a leftover."""
    return sorted(path.name for path in (root / "resolved").iterdir() if path.name != ".lock")


def expected_of(model_dir: Path) -> dict[str, bytes]:
    """What an entry for `model_dir` has to hold, read without the cache."""
    overlay = catalogue.get(MODEL)
    files = {name: overlay.read(name) for name in overlay.files}
    return files | {path.name: path.read_bytes() for path in model_dir.iterdir()}


# -- where it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", "/home/kim/.cache/kimi-tokenizers"),
        ({"XDG_CACHE_HOME": "/var/caches"}, "linux", "/var/caches/kimi-tokenizers"),
        ({"XDG_CACHE_HOME": ""}, "linux", "/home/kim/.cache/kimi-tokenizers"),
        ({"XDG_CACHE_HOME": "~/caches"}, "linux", "/home/kim/caches/kimi-tokenizers"),
        ({}, "darwin", "/home/kim/Library/Caches/kimi-tokenizers"),
        ({"XDG_CACHE_HOME": "/var/caches"}, "darwin", "/home/kim/Library/Caches/kimi-tokenizers"),
        ({"KIMI_TOKENIZERS_CACHE": "/srv/k", "XDG_CACHE_HOME": "/var/caches"}, "linux", "/srv/k"),
        ({"KIMI_TOKENIZERS_CACHE": "~/k"}, "darwin", "/home/kim/k"),
        ({"KIMI_TOKENIZERS_CACHE": ""}, "darwin", "/home/kim/Library/Caches/kimi-tokenizers"),
    ],
)
def test_where_the_cache_is(
    environment: Mapping[str, str], platform: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/kim")
    assert cache_root(environment, platform) == Path(expected)


def test_a_relative_variable_gives_an_absolute_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """exo puts the entry on sys.path and may change its working directory afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.CACHE_VARIABLE, "here")
    entry = entry_of(SUMS, read)
    assert entry.is_relative_to(tmp_path / "here")


# -- making and reusing --------------------------------------------------------------------------


def test_an_entry_holds_exactly_the_files(root: Path) -> None:
    entry = entry_of(SUMS, read)
    assert entry.parent == root / "resolved"
    assert content(entry) == FILES
    assert {path.stat().st_mode & 0o777 for path in entry.iterdir() if path.name in FILES} == {0o444}


def test_an_entry_is_reused_without_reading_the_source(root: Path) -> None:
    first = entry_of(SUMS, read)
    reading, asked = reads()
    assert entry_of(SUMS, reading) == first
    assert asked == []
    assert entries(root) == [first.name]


def test_other_content_is_another_entry(root: Path) -> None:
    first = entry_of(SUMS, read)
    other = {**SUMS, "a.json": hashlib.sha256(b"[1]").hexdigest()}
    second = entry_of(other, lambda name: b"[1]" if name == "a.json" else FILES[name])
    assert second != first
    assert content(first) == FILES
    assert content(second) == {**FILES, "a.json": b"[1]"}
    assert entries(root) == sorted([first.name, second.name])


def test_a_source_that_cannot_be_read_leaves_nothing(root: Path) -> None:
    def fail(name: str) -> bytes:
        raise OverlayError("damaged")

    with pytest.raises(OverlayError, match="damaged"):
        entry_of(SUMS, fail)
    assert entries(root) == []


def test_what_is_found_beside_an_entry_under_construction_goes(root: Path) -> None:
    """A process that was killed leaves such a directory."""
    leftover = root / "resolved" / ".new-abcdef"
    leftover.mkdir(parents=True)
    (leftover / "tiktoken.model").write_bytes(b"half")
    entry = entry_of(SUMS, read)
    assert entries(root) == [entry.name]


# -- damage --------------------------------------------------------------------------------------


def edited_file(entry: Path) -> None:
    (entry / "a.json").chmod(0o644)
    (entry / "a.json").write_bytes(b"{1")  # as long as before


def edited_file_with_its_old_times(entry: Path) -> None:
    before = (entry / "a.json").stat()
    edited_file(entry)
    os.utime(entry / "a.json", ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_file(entry: Path) -> None:
    (entry / "other").write_bytes(b"{}")
    (entry / "other").replace(entry / "a.json")


def deleted_file(entry: Path) -> None:
    (entry / "a.json").unlink()


def extra_file(entry: Path) -> None:
    (entry / "tokenizer.json").write_bytes(b"{}")


def file_becomes_symlink(entry: Path) -> None:
    shutil.copy(entry / "a.json", entry.parent.parent / "elsewhere.json")
    (entry / "a.json").unlink()
    (entry / "a.json").symlink_to(entry.parent.parent / "elsewhere.json")


def file_becomes_directory(entry: Path) -> None:
    (entry / "a.json").unlink()
    (entry / "a.json").mkdir()


def truncated_stamp(entry: Path) -> None:
    stamp = entry / ".kimi-tokenizers.json"
    stamp.write_bytes(stamp.read_bytes()[:40])


def empty_stamp(entry: Path) -> None:
    (entry / ".kimi-tokenizers.json").write_bytes(b"")


def nested_stamp(entry: Path) -> None:
    (entry / ".kimi-tokenizers.json").write_bytes(b"[" * 100_000)


def stamp_of_another_kind(entry: Path) -> None:
    (entry / ".kimi-tokenizers.json").write_text(json.dumps(list(SUMS)))


def no_stamp(entry: Path) -> None:
    (entry / ".kimi-tokenizers.json").unlink()


def stamp_becomes_fifo(entry: Path) -> None:
    no_stamp(entry)
    os.mkfifo(entry / ".kimi-tokenizers.json")


def emptied(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.mkdir()


def gone(entry: Path) -> None:
    shutil.rmtree(entry)


def becomes_file(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_bytes(b"not a directory")


def becomes_dangling_symlink(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.symlink_to("nowhere")


def becomes_symlink_to_itself(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.symlink_to(entry.name)


def moved_and_linked(entry: Path) -> None:
    """All the files are as they were, but whoever owns the place they are in now can change them."""
    elsewhere = entry.parent.parent / "elsewhere"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)


def not_writable(entry: Path) -> None:
    deleted_file(entry)
    entry.chmod(0o555)


DAMAGES = [
    edited_file,
    edited_file_with_its_old_times,
    replaced_file,
    deleted_file,
    extra_file,
    file_becomes_symlink,
    file_becomes_directory,
    truncated_stamp,
    empty_stamp,
    nested_stamp,
    stamp_of_another_kind,
    no_stamp,
    stamp_becomes_fifo,
    emptied,
    gone,
    becomes_file,
    becomes_dangling_symlink,
    becomes_symlink_to_itself,
    moved_and_linked,
    not_writable,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_a_damaged_entry_is_mended(damage: Callable[[Path], None], root: Path) -> None:
    entry = entry_of(SUMS, read)
    damage(entry)
    assert entry_of(SUMS, read) == entry
    assert not entry.is_symlink()
    assert content(entry) == FILES
    assert entries(root) == [entry.name]
    reading, asked = reads()
    assert entry_of(SUMS, reading) == entry
    assert asked == []  # it is whole now


def test_mending_does_not_write_through_links(root: Path) -> None:
    entry = entry_of(SUMS, read)
    moved_and_linked(entry)
    before = content(root / "elsewhere")
    (root / "elsewhere" / "a.json").chmod(0o644)
    (root / "elsewhere" / "a.json").write_bytes(b"mine")
    entry_of(SUMS, read)
    assert content(root / "elsewhere") == {**before, "a.json": b"mine"}


# -- many processes ------------------------------------------------------------------------------

# Forks as many children as it is told; they resolve when all of them are there.
CROWD = """\
import os, sys, traceback
from kimi_tokenizers import resolver
from kimi_tokenizers.resolver import cache

gate, opened_by_closing = os.pipe()
children = []
for _ in range(int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        os.close(opened_by_closing)
        os.read(gate, 1)
        try:
            os.write(1, f"{resolver.resolve(sys.argv[1], sys.argv[2])}\\n".encode())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    children.append(child)
os.close(opened_by_closing)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def test_many_processes_at_once_make_one_entry(root: Path, model_dir: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CROWD, MODEL, str(model_dir), str(PROCESSES)],
        env={**ENVIRONMENT, cache.CACHE_VARIABLE: str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *printed, codes = done.stdout.splitlines()
    assert codes == str([0] * PROCESSES)
    assert len(printed) == PROCESSES
    (entry,) = {Path(line) for line in printed}
    assert entries(root) == [entry.name]
    assert content(entry) == expected_of(model_dir)


def test_many_threads_at_once_make_one_entry(root: Path) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(entry_of(SUMS, read))) for _ in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == PROCESSES
    assert entries(root) == [found[0].name]
    assert content(found[0]) == FILES


# Forks a child for every line it reads; the child makes the entry, damages it and mends it, again and again.
NURSERY = """\
import os, shutil, sys
from kimi_tokenizers import resolver
from kimi_tokenizers.resolver import cache

resolver.resolve(sys.argv[1], sys.argv[2])
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        while True:
            entry = resolver.resolve(sys.argv[1], sys.argv[2])
            (entry / "kimi_line.json").unlink()
            entry = resolver.resolve(sys.argv[1], sys.argv[2])
            shutil.rmtree(entry)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


@pytest.fixture
def nursery(root: Path, model_dir: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", NURSERY, MODEL, str(model_dir)]
    environment = {**ENVIRONMENT, cache.CACHE_VARIABLE: str(root)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_a_kill_at_any_moment_is_healed_by_the_next_call(
    nursery: subprocess.Popen[str], root: Path, model_dir: Path
) -> None:
    moments = random.Random(SEED)
    expected = expected_of(model_dir)
    found_halfway = 0
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    for _ in range(KILLS):
        nursery.stdin.write("another\n")
        nursery.stdin.flush()
        child = int(nursery.stdout.readline())
        time.sleep(moments.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        assert nursery.stdout.readline() == "dead\n"
        found_halfway += any(name.startswith(".new-") for name in entries(root))
        entry = resolver.resolve(MODEL, model_dir)
        assert content(entry) == expected
    assert found_halfway > 0  # else the kills came at moments that prove nothing
    (entry / "kimi_line.json").unlink()
    assert content(resolver.resolve(MODEL, model_dir)) == expected
    assert entries(root) == [entry.name]


# -- no place to write ---------------------------------------------------------------------------

# Run as a program, with what the test needs put in the place of PREPARE. What comes from the package is read first:
# another user may not be allowed to.
ELSEWHERE = """\
import os, resource, sys, tempfile, warnings
from pathlib import Path
from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.resolver import cache
from kimi_tokenizers.model_dirs import guard
from kimi_tokenizers.catalogue import overlay

model_dir, user = sys.argv[1:]
known = {file.source: file.read() for file in catalogue.get("moonshotai/Kimi-K2.6").files.values()}
overlay.OverlayFile.read = lambda self: known[self.source]
PREPARE
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    entry = resolver.resolve("moonshotai/Kimi-K2.6", model_dir)
    again = resolver.resolve("moonshotai/Kimi-K2.6", model_dir)
assert again == entry, again
assert (entry / "tokenization_kimi.py").read_bytes() == known["common/tokenization_kimi.py"]
assert (entry / "tiktoken.model").read_bytes() == known["common/tiktoken.model"]
print(entry)
for warning in caught:
    print(warning.category.__name__, warning.filename, str(warning.message))
"""
AS_NOBODY = "os.setgid(int(user)); os.setuid(int(user))\n"


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that other users can go into, which pytest's are not."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def folder_of_the_user(public: Path) -> Path:
    """A directory of the user that `elsewhere` runs as."""
    folder = public / "cache"
    folder.mkdir()
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def elsewhere(public: Path, cache_dir: str | None, prepare: str = "") -> subprocess.CompletedProcess[str]:
    """Resolve a model in a process of its own, as a user without privileges if this one has them."""
    model_dir = public / "model"
    model_dir.mkdir()
    (model_dir / "tiktoken.model").write_bytes(b"")  # the guard wants to remember that it has seen it
    (public / "tmp").mkdir()
    (public / "tmp").chmod(0o1777)
    environment = {**ENVIRONMENT, "TMPDIR": str(public / "tmp")}
    if cache_dir is not None:
        environment[cache.CACHE_VARIABLE] = cache_dir
    program = ELSEWHERE.replace("PREPARE", (AS_NOBODY if os.getuid() == 0 else "") + prepare)
    return subprocess.run(
        [sys.executable, "-c", program, str(model_dir), str(NOBODY)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def check_private(done: subprocess.CompletedProcess[str], public: Path, cache_dir: str, reason: str) -> None:
    """The process used a temporary directory, said so once, and took it away when it ended."""
    assert (done.returncode, done.stderr) == (0, "")
    entry, *warned = done.stdout.splitlines()
    assert Path(entry).is_relative_to(public / "tmp")
    assert len(warned) == 1, warned
    assert warned[0].startswith(f"RuntimeWarning <string> The cache {cache_dir!r} cannot be used (")
    assert reason in warned[0]
    assert str(Path(entry).parent.parent) in warned[0]
    assert cache.CACHE_VARIABLE in warned[0]
    assert list((public / "tmp").iterdir()) == []


def test_a_cache_that_is_not_writable(public: Path) -> None:
    folder = folder_of_the_user(public)
    folder.chmod(0o555)
    check_private(elsewhere(public, str(folder)), public, str(folder), "Permission denied")
    assert list(folder.iterdir()) == []


def test_a_cache_that_may_not_even_be_looked_into(public: Path) -> None:
    folder = folder_of_the_user(public)
    folder.chmod(0)
    check_private(elsewhere(public, str(folder)), public, str(folder), "Permission denied")
    folder.chmod(0o755)


def test_a_cache_below_a_directory_that_may_not_be_looked_into(public: Path) -> None:
    (public / "closed").mkdir()
    (public / "closed").chmod(0)
    folder = str(public / "closed" / "cache")
    check_private(elsewhere(public, folder), public, folder, "Permission denied")
    (public / "closed").chmod(0o755)


def test_a_cache_of_somebody_else(public: Path) -> None:
    """Although it can be written to: so can its owner, who could put another tokenizer there."""
    folder = public / "cache"
    if os.getuid() == 0:
        folder.mkdir()
        folder.chmod(0o777)
    else:
        folder = Path("/usr")
    check_private(elsewhere(public, str(folder)), public, str(folder), "it belongs to user id 0")
    assert not (folder / "verdicts").exists()
    assert not (folder / "resolved").exists()


def test_a_file_in_the_place_of_the_cache(public: Path) -> None:
    (public / "cache").write_bytes(b"")
    if os.getuid() == 0:
        os.chown(public / "cache", NOBODY, NOBODY)
    check_private(elsewhere(public, str(public / "cache")), public, str(public / "cache"), "Not a directory")


def test_a_full_cache(public: Path) -> None:
    """No file may grow beyond a megabyte, but for those in the temporary directory."""
    folder = folder_of_the_user(public)
    prepare = f"""\
from kimi_tokenizers.model_dirs import Folder
make = Folder.make_folder
def make_folder(self, name, mode=0o755):
    room = 2**20 if str(self.path).startswith({str(folder)!r}) else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    return make(self, name, mode)
Folder.make_folder = make_folder
"""
    check_private(elsewhere(public, str(folder), prepare), public, str(folder), "File too large")
    assert entries(folder) == []


def test_no_home_directory(public: Path) -> None:
    """As in a container that runs as a user id without an account."""
    prepare = """\
import pwd
os.environ.pop("HOME", None); os.environ.pop("XDG_CACHE_HOME", None)
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
os.chdir(model_dir)
"""
    done = elsewhere(public, None, prepare)
    expected = "~/Library/Caches/kimi-tokenizers" if sys.platform == "darwin" else "~/.cache/kimi-tokenizers"
    check_private(done, public, expected, "there is no home directory")
    assert os.listdir(public / "model") == ["tiktoken.model"]  # where the process was


def test_the_end_of_a_fork_takes_nothing_away(public: Path) -> None:
    (public / "cache").write_bytes(b"")
    prepare = """\
entry = resolver.resolve("moonshotai/Kimi-K2.6", model_dir)
if os.fork() == 0:
    sys.exit()
os.wait()
assert (entry / "tiktoken.model").exists()
"""
    done = elsewhere(public, str(public / "cache"), prepare)
    assert done.returncode == 0, done.stderr
    assert list((public / "tmp").iterdir()) == []


def test_no_place_at_all(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.write_bytes(b"")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(CacheError) as caught:
        entry_of(SUMS, read)
    message = str(caught.value)
    assert repr(str(root)) in message
    assert cache.CACHE_VARIABLE in message
    assert isinstance(caught.value, KimiTokenizersError)
    assert isinstance(caught.value, OSError)


def test_a_temporary_directory_that_is_full_too(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.write_bytes(b"")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.warns(RuntimeWarning, match="cannot be used"),
        pytest.raises(CacheError, match="No space left") as caught,
    ):
        entry_of(SUMS, read)
    assert repr(str(root)) in str(caught.value)
    assert cache.CACHE_VARIABLE in str(caught.value)


def test_a_file_system_without_locks(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of this process alone is what is left."""

    def flock(descriptor: int, operation: int) -> None:
        lock = root / "resolved" / ".lock"
        if lock.exists() and os.path.samestat(os.fstat(descriptor), os.stat(lock)):
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        original(descriptor, operation)

    original = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="Function not implemented"):
        entry = entry_of(SUMS, read)
    assert content(entry) == FILES
    assert not entry.is_relative_to(root)
