"""`sync` and `restore` in directories that are not honest: nothing elsewhere is touched, and nothing is lost."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from disk_faults import DISKS, no_exchange, no_flushing, no_links, no_moves
from hostile.flipping import Flipping
from hostile.journals import DAMAGED
from sync_directories import (
    FOLDER,
    LIGHT,
    OLD_PYTHON,
    Snapshot,
    as_other_user,
    assert_same,
    broken,
    mixed,
    snapshot,
)

from kimi_tokenizers import sync
from kimi_tokenizers.commands import main
from kimi_tokenizers.errors import FolderError, JournalError, KimiTokenizersError, SyncError
from kimi_tokenizers.model_dirs import Model
from kimi_tokenizers.sync.names import FOLDER as RECORD

PYTHON = "tokenization_kimi.py"
OTHER = 65534  # a user id


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.mktemp("cache")))
    no_flushing(monkeypatch.setattr)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that other users can enter, which they cannot below `tmp_path`; with the cache in it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", os.path.join(folder, "cache"))
        (Path(folder) / "test").mkdir()
        yield Path(folder) / "test"


def do_sync(model_dir: Path) -> None:
    sync.apply(sync.plan(LIGHT, model_dir))


def refused(model_dir: Path, match: str) -> None:
    """Sync, its plan and restore refuse alike, and nothing is changed, here or beside it."""
    before = without_lock(model_dir.parent)
    for work in (lambda: sync.plan(LIGHT, model_dir), lambda: do_sync(model_dir), lambda: sync.restore(model_dir)):
        with pytest.raises(JournalError, match=match) as caught:
            work()
        assert "move it away" in str(caught.value)
        assert without_lock(model_dir.parent) == before


def without_lock(folder: Path) -> Snapshot:
    return {name: value for name, value in snapshot(folder).items() if not name.endswith(f"{RECORD}/lock")}


def kept(model_dir: Path, content: bytes) -> bool:
    """Whether a content is somewhere in the model directory."""
    return any(path.is_file() and path.read_bytes() == content for path in model_dir.rglob("*"))


# -- ways out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [RECORD, f"{RECORD}/backup"])
def test_a_link_in_the_place_of_a_folder_of_the_record_is_not_followed(tmp_path: Path, name: str) -> None:
    model_dir = broken(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for file in ("1-" + PYTHON, "journal.json.tmp", "2-tiktoken.model.tmp", "lock"):
        (elsewhere / file).write_bytes((model_dir / "tokenizer_config.json").read_bytes())
    (model_dir / name).parent.mkdir(exist_ok=True)
    (model_dir / name).symlink_to(elsewhere)
    refused(model_dir, "is a link, not a folder")


def test_a_record_that_somebody_else_could_have_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_dir = mixed(tmp_path)
    do_sync(model_dir)
    (model_dir / RECORD).chmod(0o777)
    refused(model_dir, "can be written to by others")
    (model_dir / RECORD).chmod(0o755)
    (model_dir / RECORD / "backup").chmod(0o775)
    refused(model_dir, "can be written to by others")
    (model_dir / RECORD / "backup").chmod(0o755)
    if os.geteuid() == 0:
        os.chown(model_dir / RECORD, OTHER, OTHER)
        refused(model_dir, f"belongs to user id {OTHER}")
        os.chown(model_dir, OTHER, OTHER)  # of the owner of the model directory
    sync.restore(model_dir)


@pytest.mark.parametrize("what", [RECORD, f"{RECORD}/backup", "."])
def test_a_folder_that_flips_to_a_link_while_another_user_syncs(public: Path, what: str) -> None:
    """The owner of the model directory does it, as fast as he can; whoever syncs may write to what he may not."""
    models_dir, elsewhere = public / "models", public / "elsewhere"
    models_dir.mkdir()
    model_dir = mixed(models_dir)
    (elsewhere / "backup").mkdir(parents=True)
    names = ["journal.json", "lock", "restored.json", "journal.json.tmp", "1-" + PYTHON, *LIGHT.files]
    for name in names:
        (elsewhere / name).write_bytes(b"not to be touched")
        (elsewhere / "backup" / name).write_bytes(b"not to be touched")
    before = snapshot(elsewhere)
    place = model_dir / what
    place.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        for path in (models_dir, *models_dir.rglob("*")):
            os.chown(path, OTHER, OTHER, follow_symlinks=False)

    link = place.parent / "x-link"
    link.symlink_to(elsewhere)
    if os.geteuid() == 0:
        os.chown(link, OTHER, OTHER, follow_symlinks=False)
    done = 0
    with Flipping(place, link, user=OTHER):
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            for work in (do_sync, sync.restore):
                with contextlib.suppress(KimiTokenizersError):
                    work(model_dir)
                    done += 1
    assert done > 0
    assert_same(snapshot(elsewhere), before)


# -- journals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("file", ["journal.json", "restored.json"])
def test_a_journal_that_sync_never_writes_is_one_clear_error(tmp_path: Path, kind: str, file: str) -> None:
    model_dir = mixed(tmp_path)
    do_sync(model_dir)
    path = model_dir / RECORD / "journal.json"
    made = DAMAGED[kind](json.loads(path.read_bytes()))
    path.write_bytes(made if isinstance(made, bytes) else json.dumps(made).encode())
    os.rename(path, model_dir / RECORD / file)
    before = without_lock(tmp_path)
    for work in (do_sync, lambda directory: sync.restore(directory, force=True)):
        with pytest.raises(JournalError, match="is not the record of kimi-tokenizers") as caught:
            work(model_dir)
        assert str(model_dir / RECORD / file) in str(caught.value)
        assert len(str(caught.value)) < 1000
        assert without_lock(tmp_path) == before


def journal_of(name: str, ours: list[str], *priors: dict[str, Any]) -> bytes:
    filled = [
        {"kind": "absent", "sha256": "", "size": 0, "mode": 0, "mtime_ns": 0, "target": "", "backup": "", **given}
        for given in priors
    ]
    files = {name: {"ours": ours, "priors": filled}}
    return json.dumps({"format": "kimi-tokenizers journal", "version": 1, "files": files}).encode()


@pytest.mark.parametrize("before", ["nothing", "a-link"])
@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("work", [do_sync, sync.restore, lambda directory: sync.restore(directory, force=True)])
def test_what_a_journal_calls_ours_is_kept_unless_it_is_in_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path], Any], disk: str, before: str
) -> None:
    """The journal came with a model, and says of the user's file that we put it there."""
    for less in DISKS[disk]:
        less(monkeypatch.setattr)
    model_dir = mixed(tmp_path)
    (model_dir / RECORD).mkdir()
    said = {} if before == "nothing" else {"kind": "link", "target": "elsewhere"}
    text = journal_of(PYTHON, [hashlib.sha256(OLD_PYTHON).hexdigest()], said)
    (model_dir / RECORD / "journal.json").write_bytes(text)
    (tmp_path / "blobs" / "python").unlink()  # there is no other name of that file
    work(model_dir)
    assert kept(model_dir, OLD_PYTHON)
    sync.restore(model_dir)
    assert kept(model_dir, OLD_PYTHON)
    assert not (model_dir / RECORD).exists()


def test_status_does_not_believe_a_journal(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    do_sync(model_dir)
    (model_dir / PYTHON).write_bytes(OLD_PYTHON)
    text = journal_of(PYTHON, [hashlib.sha256(OLD_PYTHON).hexdigest()], {})
    (model_dir / RECORD / "journal.json").write_bytes(text)
    assert sync.examine(Model("moonshotai/Kimi-K2.6", model_dir, LIGHT)).files[PYTHON] == "unknown"


def test_a_record_of_a_finished_restore_removes_no_only_copy(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    do_sync(model_dir)
    for name in ("tool_declaration_ts.py", PYTHON):
        assert kept(model_dir, before[f"{FOLDER}/{name}"][1])
    (tmp_path / "blobs" / "python").unlink()
    (model_dir / RECORD / "journal.json").rename(model_dir / RECORD / "restored.json")
    sync.restore(model_dir, force=True)
    for name in ("tool_declaration_ts.py", PYTHON):
        assert kept(model_dir, before[f"{FOLDER}/{name}"][1]), name
    assert not (model_dir / RECORD).exists()


@pytest.mark.parametrize("number", [999_999_999, 99_999_999])
def test_a_backup_with_the_last_number(tmp_path: Path, number: int) -> None:
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    do_sync(model_dir)
    path = model_dir / RECORD / "journal.json"
    path.write_text(path.read_text("ascii").replace(f'"1-{PYTHON}"', f'"{number}-{PYTHON}"'), "ascii")
    os.rename(model_dir / RECORD / "backup" / f"1-{PYTHON}", model_dir / RECORD / "backup" / f"{number}-{PYTHON}")
    (model_dir / PYTHON).unlink()
    (model_dir / PYTHON).write_bytes(b"newer")
    do_sync(model_dir)
    sync.restore(model_dir)
    assert (model_dir / PYTHON).read_bytes() == b"newer"
    assert (model_dir / f"{PYTHON}.kept-1").read_bytes() == before[f"{FOLDER}/{PYTHON}"][1]
    assert not (model_dir / RECORD).exists()


def test_files_from_before_1900_and_after_2500_are_no_damage(tmp_path: Path) -> None:
    model_dir = mixed(tmp_path)
    for name, seconds in ((PYTHON, -(1 << 32)), ("tool_declaration_ts.py", 1 << 34)):
        os.utime(model_dir / name, (seconds, seconds))
    before = snapshot(tmp_path)
    do_sync(model_dir)
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


@pytest.mark.parametrize("name", [f"{RECORD}/journal.json.tmp", f"{RECORD}-{PYTHON}.tmp", f"{RECORD}-new-{PYTHON}.tmp"])
def test_a_folder_in_the_place_of_a_file_of_ours(tmp_path: Path, name: str) -> None:
    model_dir = broken(tmp_path)
    (model_dir / name).mkdir(parents=True)
    for work in (do_sync, sync.restore):
        with pytest.raises(SyncError, match="a directory") as caught:
            work(model_dir)
        assert str(model_dir / name) in str(caught.value)
        assert not isinstance(caught.value, FolderError)
    (model_dir / name).rmdir()
    do_sync(model_dir)


def test_a_sparse_file_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    for name in ("tool_declaration_ts.py", f"{RECORD}/journal.json"):
        model_dir = broken(tmp_path / str(len(name)))
        (model_dir / name).parent.mkdir(exist_ok=True)
        (model_dir / name).write_bytes(b"")
        os.truncate(model_dir / name, 1 << 40)
        for work in (do_sync, sync.restore) if RECORD in name else (do_sync,):
            with pytest.raises(KimiTokenizersError, match="more than"):
                work(model_dir)


# -- files of others -------------------------------------------------------------------------------------------


def identities(model_dir: Path) -> dict[str, tuple[int, int, int, int]]:
    return {
        path.name: (path.lstat().st_ino, path.lstat().st_uid, path.lstat().st_nlink, path.lstat().st_mtime_ns)
        for path in model_dir.iterdir()
    }


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_files_of_others_come_back_with_owner_inode_and_hard_links(
    public: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Whoever may write to the directory, but owns nothing in it, may not even give the files a second name."""
    if not links:
        no_links(monkeypatch.setattr)
    model_dir = mixed(public)
    (model_dir / PYTHON).chmod(0o444)
    model_dir.chmod(0o777)
    before, files = snapshot(public), identities(model_dir)

    def both() -> tuple[bool, Any]:
        do_sync(model_dir)
        return (model_dir / PYTHON).read_bytes() == LIGHT.read(PYTHON), sync.restore(model_dir)

    done, _ = as_other_user(both)  # without --force: that names can be moved was tried
    assert done
    assert_same(snapshot(public), before)
    assert identities(model_dir) == files


@pytest.mark.parametrize("less", [no_exchange, no_moves], ids=["system", "file-system"])
@pytest.mark.parametrize("root", [False, True])
def test_what_cannot_be_given_back_is_said_before_and_needs_force(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    less: Callable[..., None],
    root: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    less(monkeypatch.setattr)
    no_links(monkeypatch.setattr)
    model_dir = mixed(tmp_path)
    model_dir.chmod(0o777)
    owner = os.geteuid()
    if root and owner == 0:
        owner = OTHER
        for path in model_dir.iterdir():
            os.chown(path, owner, owner, follow_symlinks=False)
    user = 0 if root else owner + 1 if owner else OTHER
    monkeypatch.setattr(os, "geteuid", lambda: user)
    before = snapshot(tmp_path)
    planned = sync.plan(LIGHT, model_dir)
    lost = {change.name: change.lost for change in planned.changes if change.lost}
    assert set(lost) == {PYTHON, "tokenizer_config.json", "tool_declaration_ts.py"}
    assert f"belongs to user id {owner}" in lost[PYTHON]
    assert main(["sync", "--dry-run", "--all", str(tmp_path)]) == 0
    assert f"belongs to user id {owner}" in capsys.readouterr().out
    assert_same(snapshot(tmp_path), before)
    with pytest.raises(
        SyncError, match=r"could not give back exactly: .*system cannot move a file .*--force"
    ) as caught:
        sync.apply(planned)
    assert "if this" not in str(caught.value)
    assert_same(snapshot(tmp_path), before)
    sync.apply(planned, force=True)
    given = {file.name: file.what for file in sync.restore(model_dir)}
    assert f"as a copy without its owner (user id {owner})" in given[PYTHON]
    assert "as a copy" not in given["tiktoken.model"]
    assert_same(snapshot(tmp_path), before, inodes=False)
