"""A directory as a handle: names are looked up in it and nowhere else, whatever others make of it meanwhile."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile.flipping import Flipping

from kimi_tokenizers.errors import FolderError, KimiTokenizersError
from kimi_tokenizers.model_dirs import Folder, renaming
from kimi_tokenizers.model_dirs import folder as module


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "here").mkdir()
    with Folder.open(tmp_path / "here") as folder:
        yield folder


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "../x", "a\0b", "\ud800"])
def test_a_name_is_one_component(here: Folder, name: str) -> None:
    here.create("file", b"", 0o644)
    calls: list[Callable[[], Any]] = [
        lambda: here.folder(name, make=True),
        lambda: here.stat(name),
        lambda: here.read(name, 10),
        lambda: here.readlink(name),
        lambda: here.create(name, b"", 0o644),
        lambda: here.symlink("x", name),
        lambda: here.link("file", name),
        lambda: here.link(name, "new"),
        lambda: here.rename("file", name),
        lambda: here.move("file", name),
        lambda: here.exchange("file", name),
        lambda: here.remove(name),
        lambda: here.make_folder(name),
        lambda: here.remove_folder(name),
        lambda: here.set_time(name, 0),
        lambda: here.lock_file(name),
    ]
    for call in calls:
        with pytest.raises(FolderError, match="is not the name of a file"):
            call()
    assert here.names() == ["file"]


def test_its_own_path_may_lead_through_a_link_and_what_is_below_may_not(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "sub" / "file").write_bytes(b"content")
    (tmp_path / "linked").symlink_to("real")
    (tmp_path / "real" / "way-out").symlink_to("/")
    (tmp_path / "real" / "link").symlink_to("sub/file")
    with Folder.open(tmp_path / "linked") as folder, folder.folder("sub") as sub:
        assert sub.read("file", 7) == b"content"
        with pytest.raises(FolderError, match=r"way-out' is a link, not a folder"):
            folder.folder("way-out")
        with pytest.raises(FolderError, match=r"link' is a link, not a file"):
            folder.read("link", 100)
        with pytest.raises(FolderError, match=r"link' is a link, not a file"):
            folder.lock_file("link")
        with pytest.raises(FileExistsError):
            folder.create("link", b"", 0o644)
        assert folder.readlink("link") == "sub/file"
        folder.remove("link")
    assert (tmp_path / "real" / "sub" / "file").read_bytes() == b"content"


def test_what_it_does_stays_in_it_when_it_is_moved_and_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "elsewhere").mkdir()
    with Folder.open(tmp_path / "a") as folder:
        (tmp_path / "a").rename(tmp_path / "moved")
        (tmp_path / "a").symlink_to("elsewhere")
        folder.create("file", b"content", 0o640)
        with folder.folder("sub", make=True) as sub:
            folder.rename("file", "new", sub)
    assert (tmp_path / "moved" / "sub" / "new").read_bytes() == b"content"
    assert (tmp_path / "moved" / "sub" / "new").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path / "elsewhere") == []


def test_anything_but_a_file_is_not_read(here: Folder) -> None:
    os.mkfifo(here.path / "fifo")
    (here.path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here.descriptor}/socket" if os.path.exists("/proc/self/fd") else "socket")
    for name, kind in {"fifo": "a FIFO", "folder": "a directory", "socket": "a socket"}.items():
        for call in (lambda name=name: here.read(name, 10), lambda name=name: here.lock_file(name)):  # type: ignore[misc]
            with pytest.raises(FolderError, match=f"{name}' is {kind}, not a file"):
                call()
    (here.path / "file").write_bytes(b"12345")
    (here.path / "sparse").write_bytes(b"")
    os.truncate(here.path / "sparse", 1 << 40)
    assert here.read("file", 5) == b"12345"
    for name in ("file", "sparse"):
        with pytest.raises(FolderError, match=f"{name}' has more than 4 bytes"):
            here.read(name, 4)
    with pytest.raises(FileNotFoundError) as caught:
        here.read("none", 4)
    assert caught.value.filename == str(here.path / "none")


def test_a_file_that_cannot_be_written_whole_is_not_there(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        here.create("file", b"content", 0o644)
    assert caught.value.filename == str(here.path / "file")
    assert here.names() == []


def test_names_are_moved_and_exchanged_in_one_step(here: Folder) -> None:
    here.create("one", b"1", 0o644)
    here.symlink("1", "other")
    if here.exchange("one", "other"):  # Linux and macOS can, on all but a few file systems
        assert here.readlink("one") == "1"
        assert here.read("other", 1) == b"1"
        with pytest.raises(FileExistsError):
            here.move("one", "other")
        with pytest.raises(FileNotFoundError) as caught:
            here.exchange("one", "none")
        assert caught.value.filename2 == str(here.path / "none")
        with here.folder("sub", make=True) as sub:
            assert here.move("other", "moved", sub)
            assert sub.names() == ["moved"]


def test_a_system_without_these_steps_says_so(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    here.create("one", b"1", 0o644)
    here.create("other", b"2", 0o644)
    monkeypatch.setattr(renaming, "rename_call", lambda: None)
    assert not here.exchange("one", "other")
    assert not here.move("one", "new")
    assert here.read("one", 1) == b"1"
    monkeypatch.setattr(module, "_HAS_DIR_FD", False)
    with pytest.raises(FolderError, match="cannot look names up in an open directory") as caught:
        Folder.open(here.path)
    assert isinstance(caught.value, KimiTokenizersError)


def test_a_folder_that_others_could_have_prepared(here: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    here.folder("sub", make=True, owned=True).close()
    os.chmod(here.path / "sub", 0o777)
    here.folder("sub").close()
    with pytest.raises(FolderError, match="can be written to by others"):
        here.folder("sub", owned=True)
    os.chmod(here.path / "sub", 0o755)
    owner = os.stat(here.path).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    here.folder("sub", owned=True).close()  # of the owner of the folder that it is in
    if owner == 0:
        os.chown(here.path / "sub", 12345, -1)
        with pytest.raises(FolderError, match="belongs to user id 12345, which is neither"):
            here.folder("sub", owned=True)
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        here.folder("sub", owned=True).close()


def test_a_name_that_flips_between_a_folder_and_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Another process does it, as fast as it can, while files are made, moved and removed below that name."""
    (tmp_path / "here").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_bytes(b"not to be touched")
    (tmp_path / "here" / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    done = refused = 0
    with Flipping(tmp_path / "here" / "sub", tmp_path / "link"), Folder.open(tmp_path / "here") as here:
        end = time.monotonic() + 20
        while (done < 200 or refused < 200) and time.monotonic() < end:
            try:
                with here.folder("sub") as sub:
                    sub.remove("file")
                    sub.create("file", b"ours", 0o644)
                    sub.rename("file", "moved")
                    sub.remove("moved")
                done += 1
            except (FolderError, FileNotFoundError):
                refused += 1
    assert min(done, refused) > 0
    assert os.listdir(tmp_path / "victim") == ["file"]
    assert (tmp_path / "victim" / "file").read_bytes() == b"not to be touched"


def test_a_lock_file_that_was_replaced_is_known(here: Folder) -> None:
    descriptor = here.lock_file("lock")
    try:
        assert here.is_at("lock", descriptor)
        here.remove("lock")
        assert not here.is_at("lock", descriptor)
        os.close(here.lock_file("lock"))
        assert not here.is_at("lock", descriptor)
    finally:
        os.close(descriptor)
