"""`sync` and `restore`: what they change, what they give back, what they refuse."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pickle
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from layouts import LAYOUTS, hf_snapshot, write_layout
from sync_directories import (
    FOLDER,
    MODEL,
    OLD_PYTHON,
    OVERLAY,
    as_other_user,
    assert_same,
    broken,
    half_done,
    mixed,
    small_disk,
    snapshot,
)

from kimi_tokenizers import catalogue, sync
from kimi_tokenizers.commands import main
from kimi_tokenizers.commands.sync import lock_says
from kimi_tokenizers.errors import (
    ChangedError,
    JournalError,
    KimiTokenizersError,
    ModelDirError,
    SyncError,
    VocabularyMismatchError,
)
from kimi_tokenizers.evidence import exo_loading
from kimi_tokenizers.model_dirs import Folder, find_models, renaming
from kimi_tokenizers.sync import immutable, names, state, watching

ROOT = Path(__file__).resolve().parents[2]
STATE = names.FOLDER


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.mktemp("cache")))


def do_sync(model_dir: Path, *, lock: bool | None = None) -> sync.Plan:
    return sync.apply(sync.plan(OVERLAY, model_dir, lock=lock))


def actions(planned: sync.Plan) -> dict[str, str]:
    return {change.name: change.action for change in planned.changes}


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kimi_tokenizers", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
    )


def run_script(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The script, with nothing but the standard library."""
    return subprocess.run(
        [sys.executable, "-S", "-E", str(ROOT / "scripts" / "sync_overlays.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
    )


# -- what it does ------------------------------------------------------------------------------------------


def test_plan_says_file_by_file_what_would_change_and_changes_nothing(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    planned = sync.plan(OVERLAY, model_dir)
    assert actions(planned) == {
        "tiktoken.model": "create",
        "tool_declaration_ts.py": "replace",
        "kimi_line.json": "create",
        "tokenizer_config.json": "replace",
        "tokenization_kimi.py": "replace",
    }
    found = {change.name: change.found for change in planned.changes}
    assert found["tokenizer_config.json"] == "a link to '../blobs/config'"
    assert found["tokenization_kimi.py"].startswith(f"{len(OLD_PYTHON)} bytes with SHA-256 ")
    assert all(change.why for change in planned.changes)
    assert_same(snapshot(tmp_path), before)


@pytest.mark.parametrize("line", catalogue.LINES)
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout not in ("k3", "fast_only")])
def test_everything_is_given_back(tmp_path: Path, layout: str, line: str) -> None:
    model_dir = write_layout(tmp_path / "model", layout, line)
    overlay = catalogue.overlays()[line]
    before = snapshot(tmp_path)
    sync.apply(sync.plan(overlay, model_dir))
    for name in overlay.files:
        if name not in ("tokenizer_config.json", "chat_template.jinja"):
            assert (model_dir / name).read_bytes() == overlay.read(name)
    synced = snapshot(tmp_path)
    assert not sync.apply(sync.plan(overlay, model_dir)).writes
    assert_same(snapshot(tmp_path), synced)  # the second time, not even the journal is written
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)
    assert sync.restore(model_dir) == ()


def test_links_modes_and_times_are_given_back(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    do_sync(model_dir)
    assert not (model_dir / "tokenizer_config.json").is_symlink()
    assert (model_dir / "tokenization_kimi.py").stat().st_mode & 0o777 == 0o644
    given = {file.name: file.action for file in sync.restore(model_dir)}
    assert given == {
        "tokenization_kimi.py": "put back",
        "tokenizer_config.json": "put back",
        "kimi_line.json": "remove",
        "tool_declaration_ts.py": "put back",
        "tiktoken.model": "remove",
    }
    assert_same(snapshot(tmp_path), before)


def test_the_blobs_of_a_hugging_face_cache_are_never_written_to(tmp_path: Path) -> None:
    model_dir = hf_snapshot(tmp_path, MODEL, "broken")
    before = snapshot(tmp_path)
    do_sync(model_dir)
    after = snapshot(tmp_path)
    assert {name: value for name, value in after.items() if "/blobs/" in name} == {
        name: value for name, value in before.items() if "/blobs/" in name
    }
    assert (model_dir / "tokenizer_config.json").read_bytes() == OVERLAY.read("tokenizer_config.json")
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


def test_a_shared_inode_is_never_changed(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    shared = tmp_path / "blobs" / "python"
    before = shared.stat()
    for lock in (None, True, False):
        do_sync(model_dir, lock=lock)
        after = shared.stat()
        assert shared.read_bytes() == OLD_PYTHON
        assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    linked = tmp_path / "linked"  # nor is one of ours that somebody gave a second name
    os.link(model_dir / "tokenization_kimi.py", linked)
    do_sync(model_dir, lock=True)
    assert linked.stat().st_mode & 0o777 == 0o644
    sync.restore(model_dir)
    assert (model_dir / "tokenization_kimi.py").stat().st_ino == before.st_ino


def test_exo_loads_what_was_synced_whatever_it_then_does_to_the_configuration(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    config = (model_dir / "tokenizer_config.json").read_bytes()
    do_sync(model_dir)
    for content in (None, config, b"{}"):
        if content is not None:
            (model_dir / "tokenizer_config.json").unlink()
            (model_dir / "tokenizer_config.json").write_bytes(content)
        with exo_loading.isolated():
            tokenizer = exo_loading.load_like_exo(model_dir, wrap=False)
        assert tokenizer.encode("Hello, world!<think>") == [19180, 11, 2695, 0, 163606]


def test_a_newer_overlay_replaces_what_an_older_one_put_there(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    (model_dir / "chat_template.jinja").unlink()
    before = snapshot(tmp_path)
    stand_in = OVERLAY.files["kimi_line.json"]._replace(name="chat_template.jinja")
    older = OVERLAY._replace(files={**OVERLAY.files, "chat_template.jinja": stand_in})
    sync.apply(sync.plan(older, model_dir))
    assert actions(do_sync(model_dir))["chat_template.jinja"] == "replace"
    assert (model_dir / "chat_template.jinja").read_bytes() == OVERLAY.read("chat_template.jinja")
    assert not (model_dir / STATE / "backup" / "2-chat_template.jinja").exists()  # ours needs no backup
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


def test_exo_replaces_a_file_of_ours(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    do_sync(model_dir)
    path = model_dir / "tokenization_kimi.py"
    path.unlink()
    path.write_bytes(b"newer")
    path.chmod(0o600)
    assert [change.name for change in do_sync(model_dir).writes] == ["tokenization_kimi.py"]
    [given] = [file for file in sync.restore(model_dir) if file.name == "tokenization_kimi.py"]
    assert given.kept == ("tokenization_kimi.py.kept-1",)
    assert path.read_bytes() == b"newer"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (model_dir / "tokenization_kimi.py.kept-1").read_bytes() == OLD_PYTHON


def test_exo_removes_a_file_of_ours(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    do_sync(model_dir)
    (model_dir / "tokenization_kimi.py").unlink()
    do_sync(model_dir)
    (model_dir / "tool_declaration_ts.py").unlink()
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    for _ in range(5):
        do_sync(model_dir)
        for number in range(2):
            (model_dir / "tokenization_kimi.py").unlink()
            (model_dir / "tokenization_kimi.py").write_bytes(b"version %d" % number)
            do_sync(model_dir)
    assert len(list((model_dir / STATE / "backup").glob("*-tokenization_kimi.py"))) == 2


def test_another_vocabulary_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / FOLDER, "k3")
    before = snapshot(tmp_path)
    with pytest.raises(VocabularyMismatchError, match="kimi_k3"):
        sync.plan(OVERLAY, model_dir)
    done = run_script("sync", str(tmp_path))
    assert done.returncode == 1
    assert "kimi_k3" in done.stderr
    assert_same(snapshot(tmp_path), before)


# -- what has changed since ----------------------------------------------------------------------------------


def test_restore_refuses_what_has_changed_and_names_both_sides(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    do_sync(model_dir)
    (model_dir / "tokenization_kimi.py").unlink()
    (model_dir / "tokenization_kimi.py").write_bytes(b"edited")
    (model_dir / "kimi_line.json").write_bytes(b"{}")
    before = snapshot(tmp_path)
    with pytest.raises(ChangedError, match=r"tokenization_kimi\.py has changed since: it is 6 bytes") as caught:
        sync.restore(model_dir)
    for text in (OVERLAY.files["tokenization_kimi.py"].sha256, f"{len(OLD_PYTHON)} bytes with", "kimi_line.json has"):
        assert text in str(caught.value)
    assert_same(snapshot(tmp_path), before)
    given = {file.name: file.kept for file in sync.restore(model_dir, force=True)}
    assert given["tokenization_kimi.py"] == ("tokenization_kimi.py.kept-1",)
    assert (model_dir / "tokenization_kimi.py").read_bytes() == OLD_PYTHON
    assert (model_dir / "tokenization_kimi.py.kept-1").read_bytes() == b"edited"
    assert (model_dir / "kimi_line.json.kept-1").read_bytes() == b"{}"
    assert not (model_dir / "kimi_line.json").exists()
    assert not (model_dir / STATE).exists()


def test_a_backup_that_was_removed(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    do_sync(model_dir)
    [backup] = (model_dir / STATE / "backup").glob("*-tokenization_kimi.py")
    backup.unlink()
    before = snapshot(tmp_path)
    with pytest.raises(ChangedError, match="was removed") as caught:
        sync.restore(model_dir)
    assert str(backup) in str(caught.value)
    assert_same(snapshot(tmp_path), before)
    assert not do_sync(model_dir).writes
    sync.restore(model_dir, force=True)
    assert (model_dir / "tokenization_kimi.py").read_bytes() == OVERLAY.read("tokenization_kimi.py")
    assert not (model_dir / "kimi_line.json").exists()
    assert not (model_dir / STATE).exists()


def test_a_backup_that_was_edited(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    do_sync(model_dir)
    [backup] = (model_dir / STATE / "backup").glob("*-tokenizer_config.json")
    backup.write_bytes(b"{}")
    before = snapshot(tmp_path)
    with pytest.raises(ChangedError, match="was changed: it is 2 bytes"):
        sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)
    sync.restore(model_dir, force=True)
    assert (model_dir / "tokenizer_config.json").read_bytes() == b"{}"


def make_link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        (STATE, os.mkfifo),
        (STATE, make_link),
        (f"{STATE}/journal.json", os.mkfifo),
        (f"{STATE}/journal.json", Path.mkdir),
        (f"{STATE}/lock", Path.mkdir),
        (f"{STATE}/lock", make_link),
    ],
)
def test_something_else_in_the_place_of_the_record(tmp_path: Path, name: str, make: Callable[[Path], Any]) -> None:
    model_dir = broken(tmp_path)
    path = model_dir / name
    path.parent.mkdir(exist_ok=True)
    make(path)
    before = snapshot_without_reading(tmp_path)
    for work in (lambda: do_sync(model_dir), lambda: sync.restore(model_dir)):
        with pytest.raises((JournalError, SyncError)) as caught:
            work()
        assert str(path) in str(caught.value)
        assert snapshot_without_reading(tmp_path) == before


def snapshot_without_reading(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.name not in ("lock", STATE, FOLDER)
    }


def test_a_journal_that_was_removed(tmp_path: Path) -> None:
    """The backups say what was there: files come back. (That a file was missing, or a link, they do not say.)"""
    model_dir = broken(tmp_path)
    config = (model_dir / "tokenizer_config.json").read_bytes()
    do_sync(model_dir)
    (model_dir / STATE / "journal.json").unlink()
    sync.restore(model_dir)
    assert (model_dir / "tokenizer_config.json").read_bytes() == config


# -- what is no file, no text, not allowed -----------------------------------------------------------------


def make_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket has at most some hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def make_device(path: Path) -> None:
    """A device, where this process may make one; else a FIFO, which is no file either."""
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        os.mkfifo(path)


@pytest.mark.parametrize("make", [os.mkfifo, make_socket, make_device, Path.mkdir], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", ["tokenization_kimi.py", "tiktoken.model", "tokenizer_config.json"])
def test_no_file_in_the_place_of_a_tokenizer_file(tmp_path: Path, make: Callable[[Path], Any], name: str) -> None:
    model_dir = broken(tmp_path)
    (model_dir / name).unlink(missing_ok=True)
    make(model_dir / name)
    before = sorted(os.listdir(model_dir))
    with pytest.raises((SyncError, ModelDirError)) as caught:
        do_sync(model_dir)
    assert str(model_dir / name) in str(caught.value)
    assert sorted(os.listdir(model_dir)) == before


@pytest.mark.parametrize("make", [os.mkfifo, make_socket, make_device, Path.touch], ids=lambda make: make.__name__)
def test_no_directory_with_the_name_of_a_model(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / FOLDER)
    [model] = find_models([tmp_path]).models
    for outcome in (sync.sync_model(model), sync.restore_model(model)):
        assert outcome.problem is not None
        assert str(tmp_path / FOLDER) in outcome.problem
        assert "has the name of a model directory and is a" in outcome.problem


def test_names_and_links_that_are_not_utf_8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/mod\xe8les \n"))
    folder.mkdir()
    model_dir = broken(folder)
    Path(os.fsdecode(os.fsencode(model_dir) + b"/\xff.json")).write_bytes(b"{}")
    blob = Path(os.fsdecode(os.fsencode(folder) + b"/bl\xf6b"))
    (model_dir / "tokenizer_config.json").rename(blob)
    (model_dir / "tokenizer_config.json").symlink_to(os.path.join("..", blob.name))
    before = snapshot(folder)
    done = run("sync", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\udce8les \\n" in done.stdout
    report = json.loads(run_script("status", str(folder), "--json").stdout)
    assert report["ok"] is True
    assert report["models"][0]["path"] == str(model_dir)
    assert run_script("restore", str(folder)).returncode == 0
    assert_same(snapshot(folder), before)


@contextlib.contextmanager
def for_others() -> Iterator[Path]:
    """A directory that every user can reach."""
    folder = Path("/tmp", f"kimi-tokenizers-test-{os.getpid()}")
    folder.mkdir()
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=True)
        shutil.rmtree(folder)


def problem(work: Callable[[], Any]) -> str:
    try:
        work()
    except KimiTokenizersError as error:
        return str(error)
    return "it was done"


def test_as_another_user_it_says_which_right_is_missing() -> None:
    with for_others() as folder:
        model_dir = broken(folder)
        OVERLAY.read("tokenization_kimi.py")
        model_dir.chmod(0o555)
        before = snapshot(folder)
        said = as_other_user(lambda: problem(lambda: do_sync(model_dir)))
        assert f"the right to write to the directory {str(model_dir)!r} (w) is missing" in said
        assert "mode dr-xr-xr-x" in said
        assert_same(snapshot(folder), before)
        model_dir.chmod(0o755)
        do_sync(model_dir)
        (model_dir / STATE).chmod(0o555)
        (model_dir / STATE / "lock").chmod(0o444)
        before = snapshot(folder)
        said = as_other_user(lambda: problem(lambda: sync.restore(model_dir)))
        assert STATE in said
        assert "(w) is missing" in said
        assert_same(snapshot(folder), before)


def test_permissions_000() -> None:
    with for_others() as folder:
        model_dir = broken(folder)
        (model_dir / "tokenization_kimi.py").write_bytes(OLD_PYTHON)
        (model_dir / "tokenization_kimi.py").chmod(0)
        said = as_other_user(lambda: problem(lambda: sync.plan(OVERLAY, model_dir)))
        assert f"the right to read {str(model_dir / 'tokenization_kimi.py')!r} (r) is missing" in said
        model_dir.chmod(0)
        said = as_other_user(lambda: problem(lambda: sync.plan(OVERLAY, model_dir)))
        assert f"{str(model_dir)!r} (rwx) are missing" in said
        assert "mode d---------" in said
        folder.chmod(0)
        said = as_other_user(lambda: find_models([folder]).problems)
        assert said == [
            f"The models dir {str(folder)!r} cannot be read: Permission denied. "
            "It needs the rights to read and enter it (rx)."
        ]


def test_a_read_only_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(tmp_path / "disk", 8 << 20) as mounted:
        model_dir = broken(tmp_path / "disk")
        if mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "disk")], check=True)
        else:  # this process may not mount disks

            def no_mkdir(path: Any, mode: int = 0o777) -> None:
                raise OSError(30, os.strerror(30), str(path))

            monkeypatch.setattr(os, "mkdir", no_mkdir)
        with pytest.raises(SyncError, match="is on a read-only file system"):
            do_sync(model_dir)
        [model] = find_models([tmp_path / "disk"]).models
        assert sync.sync_model(model, dry_run=True).problem is None
        monkeypatch.undo()


@pytest.mark.parametrize("call", ["open", "readlink"])
def test_what_changes_its_kind_while_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """As where another sync or restore exchanges a file and a link at that very moment."""
    file, link, path = tmp_path / "file", tmp_path / "link", tmp_path / "path"
    file.write_bytes(b"content")
    link.symlink_to("elsewhere")
    was, becomes = (file, link) if call == "open" else (link, file)
    was.rename(path)
    original = getattr(os, call)

    def late(*arguments: Any, **options: Any) -> Any:
        if becomes.is_symlink() or becomes.exists():
            os.replace(becomes, path)
        return original(*arguments, **options)

    with Folder.open(tmp_path) as folder:
        monkeypatch.setattr(os, call, late)
        assert state.examine(folder, "path").kind == ("link" if call == "open" else "file")


# -- locking -------------------------------------------------------------------------------------------------


def modes(model_dir: Path) -> dict[str, int]:
    return {name: (model_dir / name).stat().st_mode & 0o777 for name in OVERLAY.files}


def test_locked_files_are_read_only_where_nothing_else_can_be_had(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    before = snapshot(tmp_path)
    own = (model_dir / "chat_template.jinja").stat().st_mode & 0o777
    do_sync(model_dir, lock=True)
    assert modes(model_dir) == {**dict.fromkeys(OVERLAY.files, 0o444), "chat_template.jinja": own}
    assert not do_sync(model_dir).writes  # without --lock or --no-lock it stays as it is
    (model_dir / "tokenization_kimi.py").unlink()
    do_sync(model_dir)
    assert set(actions(do_sync(model_dir, lock=False)).values()) == {"unlock", "keep"}
    assert modes(model_dir) == {**dict.fromkeys(OVERLAY.files, 0o644), "chat_template.jinja": own}
    do_sync(model_dir, lock=True)
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


class Flags:
    """Stands in for the file flags of macOS: an immutable file can be neither replaced nor removed nor linked to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: dict[int, int] = {}
        self._stat = os.stat
        for module, name in ((os, "unlink"), (os, "rename"), (os, "replace"), (os, "link"), (renaming, "renamed")):
            monkeypatch.setattr(module, name, self._refusing(getattr(module, name)))
        monkeypatch.setattr(os, "chflags", None, raising=False)
        monkeypatch.setattr(immutable, "_set_flags", self.set)
        monkeypatch.setattr(immutable, "_flags", lambda status: self.of.get(status.st_ino, 0))

    def set(self, descriptor: int, flags: int) -> None:
        self.of[os.fstat(descriptor).st_ino] = flags

    def _refusing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **options: Any) -> Any:
            folders = [number for number in (*given, *options.values()) if type(number) is int and number > 2]
            for path in given:
                for folder in (folders or [None]) if isinstance(path, (str, Path)) else ():
                    with contextlib.suppress(FileNotFoundError):
                        if self.of.get(self._stat(path, dir_fd=folder, follow_symlinks=False).st_ino, 0) & 2:
                            raise PermissionError(1, os.strerror(1), str(path))
            return original(*given, **options)

        return call


def test_locked_files_are_immutable_where_the_platform_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_dir = broken(tmp_path)
    before = snapshot(tmp_path)
    flags = Flags(monkeypatch)
    do_sync(model_dir, lock=True)
    ours = {(model_dir / name).stat().st_ino for name in OVERLAY.files if name != "chat_template.jinja"}
    assert {inode for inode, value in flags.of.items() if value} == ours
    with pytest.raises(PermissionError):
        os.replace(model_dir / "config.json", model_dir / "tokenization_kimi.py")
    assert not do_sync(model_dir).writes
    assert "immutable" in lock_says()
    do_sync(model_dir, lock=False)
    assert not any(flags.of.values())
    do_sync(model_dir, lock=True)
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


# -- models of a trillion parameters ---------------------------------------------------------------------------

BIG = """
import os, pickle, resource, sys, time
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from kimi_tokenizers import commands
import kimi_tokenizers.commands.arguments, kimi_tokenizers.commands.sync
started = time.process_time()
status = commands.main(["sync", sys.argv[1]])
more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
print(pickle.dumps((status, time.process_time() - started, more)).hex())
"""


def test_a_thousand_weight_files_of_a_gigabyte_are_not_looked_into(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    names = [f"model-{number:05}-of-01000.safetensors" for number in range(1, 1001)]
    (model_dir / "model.safetensors.index.json").write_text(json.dumps({"weight_map": dict(enumerate(names))}))
    for name in names:
        with (model_dir / name).open("wb") as stream:
            stream.truncate(1 << 30)
        os.utime(model_dir / name, ns=(1, 2))  # read longer ago than written, so that a reading would show
    trace = tmp_path / "trace"
    strace = shutil.which("strace")
    calls = "trace=read,pread64,readv,mmap,open,openat"
    tracing = [strace, "-f", "-y", "-e", calls, "-o", str(trace)] if strace else []
    done = subprocess.run(
        [*tracing, sys.executable, "-c", BIG, str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    status, seconds, kilobytes = pickle.loads(bytes.fromhex(done.stdout.splitlines()[-1]))
    assert status == 0
    assert seconds < 1
    assert kilobytes < 150 * (1024 if sys.platform == "linux" else 1024 * 1024)  # bytes elsewhere
    assert {(model_dir / name).stat().st_atime_ns for name in names} == {1}
    if strace:
        assert "tiktoken.model" in trace.read_text()
        assert "-of-01000" not in trace.read_text()


# -- the command and the script --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_script_and_the_command_say_and_do_the_same(tmp_path: Path) -> None:
    models_dir = tmp_path / "models"
    broken(models_dir)
    write_layout(models_dir / "moonshotai--Kimi-K2-Thinking", "k3")
    before = snapshot(tmp_path)
    steps = [
        (["status"], 1, "tokenization_kimi.py and tiktoken.model are missing"),
        (["sync", "--dry-run"], 1, "would be changed"),
        (["sync", "--lock", "--model", MODEL], 0, "Our files are read-only"),
        (["sync", "--model", MODEL.upper()], 0, "nothing to do, the overlay is in place"),
        (["restore"], 0, "restored"),
        (["sync", "--model", "moonshotai/Kimi-K3.1-Pro"], 1, ""),
    ]
    said = []
    typed = f"python3 {shlex.quote(str(ROOT / 'scripts' / 'sync_overlays.py'))}"
    for command in (run, run_script):
        outputs = []
        for (name, *options), expected, text in steps:
            done = command(name, str(models_dir), *options)
            assert done.returncode == expected, (name, options, done)
            assert text in done.stdout
            assert "\x1b" not in done.stdout
            # The next command to type is the one that was typed.
            outputs.append((done.stdout.replace(typed, "kimi-tokenizers"), done.stderr))
        assert_same(snapshot(tmp_path), before)
        said.append(outputs)
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "arguments", [["sync", "--no-such-option"], ["status", "--compare"], ["sync", "--watch", "--json"]]
)
def test_wrong_usage_has_exit_status_2(arguments: list[str]) -> None:
    assert run(*arguments).returncode == 2
    assert run_script(*arguments).returncode == 2


def test_a_model_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken(tmp_path)
    assert main(["sync", str(tmp_path), "--model", "moonshotai/Kimi-K2.5"]) == 1
    said = capsys.readouterr()
    assert f"moonshotai/Kimi-K2.5 was not found in '{tmp_path}'" in said.err
    assert main(["restore", str(tmp_path), str(tmp_path / "missing")]) == 1
    assert "cannot be read: No such file or directory" in capsys.readouterr().err


def test_sync_and_restore_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = broken(tmp_path)
    assert main(["sync", "--json", str(tmp_path)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    [model] = report["models"]
    assert (model["model"], model["path"]) == (MODEL, str(model_dir))
    assert {file["name"]: file["action"] for file in model["files"]}["tokenizer_config.json"] == "replace"
    assert main(["restore", "--json", str(tmp_path)]) == 0
    [model] = json.loads(capsys.readouterr().out)["models"]
    assert {file["name"]: file["action"] for file in model["files"]}["tokenizer_config.json"] == "put back"


def test_what_is_healthy_is_left_alone_unless_all_is_asked_for(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K2-Instruct", "good", "kimi-k2-instruct")
    (model_dir / "tokenization_kimi.py").write_bytes(OLD_PYTHON)
    before = snapshot(tmp_path)
    [model] = find_models([tmp_path]).models
    overlay = model.overlay
    known = {path.name: sha256(path.read_bytes()).hexdigest() for path in model_dir.glob("*.py")}  # as upstream's
    upstream = overlay.upstream._replace(sha256={**overlay.upstream.sha256, **known})
    model = dataclasses.replace(model, overlay=overlay._replace(upstream=upstream))
    outcome = sync.sync_model(model)
    assert outcome.skipped is not None
    assert "--all" in outcome.skipped
    assert_same(snapshot(tmp_path), before)
    outcome = sync.sync_model(model, healthy_too=True)
    assert outcome.plan is not None
    assert (model_dir / "tokenization_kimi.py").read_bytes() == OVERLAY.read("tokenization_kimi.py")
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


def test_a_models_dir_that_is_itself_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = broken(tmp_path)
    assert main(["sync", str(model_dir)]) == 0
    said = capsys.readouterr().out
    assert f"hint: '{model_dir}' is itself a model directory" in said
    assert f"The models dir it is in is '{tmp_path}'" in said
    assert (model_dir / "tokenization_kimi.py").exists()
    named = tmp_path / "any-name"
    model_dir.rename(named)
    [model] = find_models([named]).models
    assert (model.model_id, model.overlay.line) == ("any-name", "kimi-k2.6")


def test_views_are_left_to_view(tmp_path: Path) -> None:
    from kimi_tokenizers import view

    broken(tmp_path / "models")
    view.make(tmp_path / "view", [tmp_path / "models"])
    (tmp_path / "view" / FOLDER / "kimi_line.json").unlink()
    before = snapshot(tmp_path)
    [model] = find_models([tmp_path / "view"]).models
    for outcome in (sync.sync_model(model), sync.restore_model(model)):
        assert "in a view" in str(outcome.skipped)
    assert_same(snapshot(tmp_path), before)


def test_nothing_heavy_and_nothing_foreign_is_imported() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules)\n"
        "import kimi_tokenizers.sync, kimi_tokenizers.commands.status, kimi_tokenizers.commands.sync\n"
        "print([name for name in set(sys.modules) - before"
        " if name.split('.')[0] not in {*sys.stdlib_module_names, 'kimi_tokenizers'}])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- watching ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def watched(models_dir: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kimi_tokenizers", "sync", "--watch", str(models_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without {text!r}: {process.stderr.read() if process.stderr else ''}")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_puts_the_overlay_back_and_stops_cleanly(tmp_path: Path, number: int) -> None:
    model_dir = broken(tmp_path)
    with watched(tmp_path) as process:
        line_with(process, "watching")
        line_with(process, "changed")
        (model_dir / "tokenization_kimi.py").unlink()
        line_with(process, "changed")
        line_with(process, "create  tokenization_kimi.py")
        broken(tmp_path / "moonshotai--Kimi-K2.5").rename(tmp_path / "moonshotai--Kimi-K2.6-4bit")
        line_with(process, "moonshotai/Kimi-K2.6-4bit")
        process.send_signal(number)
        line_with(process, "stopped")
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not sync.plan(OVERLAY, model_dir).writes
    assert not half_done(model_dir)


def test_a_directory_is_synced_at_most_once_a_second() -> None:
    now = [100.0]
    schedule = watching._Schedule(1.0, clock=lambda: now[0])
    schedule.add(["a", "b", "a"])
    assert schedule.take() == ["a", "b"]
    for now[0] in (100.1, 100.5, 100.99):
        schedule.add(["a"])
        assert schedule.take() == []
    now[0] = 101.0
    assert schedule.take() == ["a"]
    assert schedule.take() == []


def test_watching_without_watchfiles_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(KimiTokenizersError, match=r"pip install 'kimi-tokenizers\[watch\]'"):
        sync.watch([str(tmp_path)], lambda model: None)
    assert main(["sync", "--watch", str(tmp_path)]) == 1
    assert "pip install 'kimi-tokenizers[watch]'" in capsys.readouterr().err


def test_watching_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SyncError, match="cannot be read: No such file or directory"):
        sync.watch([str(tmp_path / "missing")], lambda model: None)
    assert main(["sync", "--watch", str(tmp_path / "missing")]) == 1
    assert "cannot be read: No such file or directory" in capsys.readouterr().err


def test_the_script_says_what_it_needs() -> None:
    """uv reads it from a comment; and every command has help."""
    lines = (ROOT / "scripts" / "sync_overlays.py").read_text().splitlines()
    assert lines[:4] == ["# /// script", '# requires-python = ">=3.9"', "# dependencies = []", "# ///"]
    for command in ("status", "sync", "restore"):
        done = run_script(command, "--help")
        assert done.returncode == 0
        assert "Exit status: 0 fine" in done.stdout
