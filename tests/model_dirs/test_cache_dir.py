"""A cache that others could change, at any level, is not used, and neither is one where nothing may be left."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from layouts import write_layout

import kimi_tokenizers as kt
from kimi_tokenizers import view
from kimi_tokenizers.resolver import cache, cache_contents

MODEL = "moonshotai/Kimi-K2.6"
NOBODY = 65534


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    path = write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "good")
    for file in path.iterdir():
        os.utime(file, (1e9, 1e9))  # the guard would remember it
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    cache._private.cache_clear()
    return use(monkeypatch, tmp_path / "above" / "cache")


def use(monkeypatch: pytest.MonkeyPatch, path: Path) -> Path:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(path))
    return path


def refused(model_dir: Path, root: Path, reason: str) -> None:
    """The model is resolved elsewhere, with a word on why."""
    with pytest.warns(RuntimeWarning, match="cannot be used") as caught:
        entry = kt.resolve(MODEL, model_dir)
    assert reason in str(caught[0].message)
    assert str(root) in str(caught[0].message)
    assert not entry.is_relative_to(root)
    assert (entry / "tokenization_kimi.py").exists()


def open_to_others(path: Path) -> None:
    path.chmod(0o777)


def open_to_the_group(path: Path) -> None:
    path.chmod(0o775)


def given_away(path: Path) -> None:
    os.chown(path, NOBODY, -1)


WAYS = [open_to_others, open_to_the_group, *([given_away] if os.getuid() == 0 else [])]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("level", ["above", "above/cache", "above/cache/resolved"])
def test_what_others_can_write_to_is_not_used(
    way: Callable[[Path], None], level: str, model_dir: Path, root: Path, tmp_path: Path
) -> None:
    kt.resolve(MODEL, model_dir)
    way(tmp_path / level)
    before = sorted(path.name for path in (root / "resolved").rglob("*"))
    refused(model_dir, root, "belongs to user id" if way is given_away else "can")
    assert sorted(path.name for path in (root / "resolved").rglob("*")) == before
    assert not cache_contents().used


@pytest.mark.parametrize("way", WAYS)
def test_an_entry_or_a_file_in_it_that_others_could_have_changed_is_made_anew(
    way: Callable[[Path], None], model_dir: Path, root: Path
) -> None:
    entry = kt.resolve(MODEL, model_dir)
    for damaged in (entry, entry / "tokenization_kimi.py"):
        way(damaged)
        inode = entry.stat().st_ino
        assert kt.resolve(MODEL, model_dir) == entry
        assert entry.stat().st_ino != inode
        assert (entry.stat().st_mode & 0o777, entry.stat().st_uid) == (0o555, os.geteuid())


def test_a_sticky_directory_above_is_fine(model_dir: Path, root: Path, tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    (tmp_path / "above").chmod(0o1777)
    assert kt.resolve(MODEL, model_dir).is_relative_to(root)


def test_a_link_of_ones_own_is_followed(
    model_dir: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("disk/inner/..")
    use(monkeypatch, tmp_path / "link" / "cache")
    assert kt.resolve(MODEL, model_dir).is_relative_to(tmp_path / "disk" / "cache")


def test_behind_a_link_others_count_too(
    model_dir: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk" / "open").mkdir(parents=True)
    (tmp_path / "disk" / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "open")
    refused(model_dir, use(monkeypatch, tmp_path / "link" / "cache"), "others can write to")


def test_somebody_elses_link_is_not_followed(
    model_dir: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    original = os.lstat

    def lstat(path: str) -> os.stat_result:
        status = original(path)
        return os.stat_result([*status[:4], NOBODY, *status[5:]]) if path == str(tmp_path / "link") else status

    monkeypatch.setattr(os, "lstat", lstat)
    refused(model_dir, use(monkeypatch, tmp_path / "link" / "cache"), "the link")
    assert os.listdir(tmp_path / "disk") == []


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("place", [".", "cache", "deep/er/cache"])
def test_a_cache_in_a_model_directory_is_refused(
    place: str, model_dir: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(model_dir)
    refused(model_dir, use(monkeypatch, model_dir / place), "model")
    made = {str(path.relative_to(model_dir)) for path in model_dir.rglob("*")} - set(before)
    assert made == set()


def test_a_cache_in_an_empty_model_directory_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the call says that it is one."""
    (tmp_path / "model").mkdir()
    refused(tmp_path / "model", use(monkeypatch, tmp_path / "model" / "cache"), "it is in the model directory")
    assert tree(tmp_path / "model") == []


def test_a_cache_in_a_view_is_refused(
    model_dir: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.make(tmp_path / "view", [model_dir.parent])
    refused(model_dir, use(monkeypatch, tmp_path / "view" / "cache"), "is a view")


def test_a_model_directory_in_the_cache_is_refused(
    model_dir: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(model_dir, use(monkeypatch, tmp_path / "models"), "is in it")


def test_what_was_resolved_can_be_resolved_again(model_dir: Path, root: Path) -> None:
    entry = kt.resolve(MODEL, model_dir)
    assert kt.resolve(MODEL, entry).is_relative_to(root)


def test_a_temporary_directory_that_others_could_replace_is_not_used_either(
    model_dir: Path, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "above").mkdir()
    for name in ("above", "temporary"):
        (tmp_path / name).chmod(0o777)
    with pytest.warns(RuntimeWarning), pytest.raises(kt.KimiTokenizersError, match="only you can write to"):
        kt.resolve(MODEL, model_dir)
