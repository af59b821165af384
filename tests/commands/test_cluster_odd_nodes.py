"""`cluster` and nodes with a wrong clock, a /tmp that executes nothing, a home that is read-only or full."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from layouts import write_layout
from sync_directories import small_disk, snapshot
from test_cluster import FOLDER, Nodes, problems, states

from kimi_tokenizers.commands import on_node

YEAR_1970, YEAR_2099 = 0, 4_085_000_000
MEGABYTE = 1 << 20


@pytest.fixture
def nodes(tmp_path: Path) -> Nodes:
    return Nodes(tmp_path)


def give_clock(home: Path, seconds: int) -> None:
    """A Python for a node, first on its PATH, to which it is always the same time."""
    venv.create(home / "python", symlinks=True)
    [packages] = (home / "python" / "lib").glob("*/site-packages")
    (packages / "clock.pth").write_text("import clock\n")
    (packages / "clock.py").write_text(
        f"import time\ntime.time = lambda: {seconds}.0\ntime.time_ns = lambda: {seconds} * 10**9\n"
    )
    (home / "login").write_text(f"PATH='{home}/python/bin':$PATH\n")
    python = home / "python" / "bin" / "python3"
    said = subprocess.run([python, "-I", "-c", "import time; print(time.time())"], capture_output=True, check=True)
    assert float(said.stdout) == seconds


def contents(folder: Path) -> dict[str, tuple[object, ...]]:
    """All below a folder, with modification times, without inodes."""
    return {name: value[:4] for name, value in snapshot(folder).items()}


def test_whatever_year_a_node_and_its_files_are_of(nodes: Nodes) -> None:
    names = ["login1970", "login2099"]
    models_dirs = [nodes.add(name).parent for name in names]
    for models_dir, clock, written in zip(models_dirs, (YEAR_1970, YEAR_2099), (YEAR_2099, YEAR_1970), strict=True):
        give_clock(models_dir.parents[3 if sys.platform == "linux" else 1], clock)
        for path in (models_dir / FOLDER).iterdir():
            os.utime(path, (written, written))
    before = [contents(models_dir) for models_dir in models_dirs]
    status, report = nodes.report("sync", *names)
    assert (status, states(report), problems(report)) == (0, {name: ["overlaid"] for name in names}, {})
    status, report = nodes.report("restore", *names)
    assert (status, states(report), problems(report)) == (0, {name: ["broken"] for name in names}, {})
    assert [contents(models_dir) for models_dir in models_dirs] == before
    nodes.assert_clean(names)


def test_a_temporary_place_that_executes_nothing(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes.add("noexec")
    place = nodes.folder / "noexec" / "tmp"
    with small_disk(place, 16 * MEGABYTE, ",noexec"):  # where nobody may mount, what follows still has to hold
        status, report = nodes.report("sync", "noexec")
        assert (status, states(report), problems(report)) == (0, {"noexec": ["overlaid"]}, {})
        assert [*place.iterdir()] == []
    monkeypatch.setenv("TMPDIR", str(place))
    kept = on_node.Folder()
    assert Path(kept.keep(b"#!/bin/sh\n")).stat().st_mode & 0o111 == 0  # no system would execute it
    assert kept.remove() is None


def test_a_home_that_nobody_can_write_to(nodes: Nodes) -> None:
    """exo's models are elsewhere then; nothing is kept in the home."""
    nodes.add("login", None)
    write_layout(nodes.folder / "elsewhere" / FOLDER, "broken")
    (nodes.folder / "login" / "login").write_text("HOME=/dev/null TMPDIR=/dev/null\nexport HOME TMPDIR\n")
    status, report = nodes.report("sync", "login", "--models-dir", str(nodes.folder / "elsewhere"))
    assert (status, states(report), problems(report)) == (0, {"login": ["overlaid"]}, {})


def test_models_that_nobody_can_write_to(nodes: Nodes) -> None:
    nodes.add("healthy")
    nodes.add("sealed", None)
    with sealed(nodes.models("sealed")) as models_dir:
        before = contents(models_dir)
        status, report = nodes.report("sync", "sealed", "healthy")
        assert states(report) == {"sealed": ["broken"], "healthy": ["overlaid"]}
        [done] = report["nodes"][0]["done"]
        assert status == 1
        assert "read-only file system" in done["problem"] or "ermission" in done["problem"]
        assert contents(models_dir) == before
    nodes.assert_clean(["sealed", "healthy"])


@contextlib.contextmanager
def sealed(models_dir: Path) -> Iterator[Path]:
    """A models dir with a model in it, on a disk that is read-only; for who may not mount one, without the rights."""
    models_dir.mkdir(parents=True)
    with small_disk(models_dir, MEGABYTE) as mounted:
        model_dir = write_layout(models_dir / FOLDER, "broken")
        if mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(models_dir)], check=True)
        model_dir.chmod(0o555) if not mounted else None
        try:
            yield models_dir
        finally:
            model_dir.chmod(0o755) if not mounted else None


def test_a_home_without_space(nodes: Nodes) -> None:
    nodes.add("healthy")
    home = nodes.folder / "full"
    with small_disk(home, MEGABYTE // 2) as mounted:
        model_dir = nodes.add("full")
        before = contents(model_dir.parent)
        status, report = nodes.report("sync", "full", "healthy")
        assert states(report)["healthy"] == ["overlaid"]
        if mounted:
            [done] = report["nodes"][0]["done"]
            assert (status, states(report)["full"]) == (1, ["broken"])
            assert "Free a few megabytes" in done["problem"]
            assert contents(model_dir.parent) == before
        nodes.assert_clean(["full", "healthy"])


def test_one_node_without_models_is_told_once(nodes: Nodes) -> None:
    argv = [sys.executable, "-m", "kimi_tokenizers", "cluster", "status", "localhost"]
    environment = {**nodes.environment(), "HOME": str(nodes.folder)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.lower().count("no kimi model") == 1
    assert "1 of 1 node could not be examined" in done.stdout
    assert "--models-dir or --env" in done.stdout
