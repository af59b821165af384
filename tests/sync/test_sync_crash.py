"""`sync` and `restore` killed at every step, on a full disk, and at work at the same time as others."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from disk_faults import DISKS, DiskFull, Killer, intercept, no_flushing
from sync_directories import (
    FOLDER,
    LIGHT,
    MODEL,
    OVERLAY,
    Snapshot,
    Spawned,
    assert_others_untouched,
    assert_same,
    assert_whole,
    contents,
    half_done,
    mixed,
    read,
    refusal,
    replaced_as_exo_does,
    small_disk,
    snapshot,
)

from kimi_tokenizers import sync
from kimi_tokenizers.errors import ChangedError
from kimi_tokenizers.model_dirs import Model
from kimi_tokenizers.sync.names import FOLDER as RECORD


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.mktemp("cache")))


def do_sync(model_dir: Path) -> None:
    sync.apply(sync.plan(LIGHT, model_dir))


def assert_status_is_true(model_dir: Path) -> None:
    """What `status` says of each file is what is in it, and it is overlaid exactly if all that exo executes is ours."""
    result = sync.examine(Model(MODEL, model_dir, LIGHT))
    for name, origin in result.files.items():
        content = (model_dir / name).read_bytes() if (model_dir / name).exists() else None
        assert (origin == "ours") == (content == LIGHT.read(name)), name
        assert (origin == "missing") == (content is None), name
    executed = ("tokenization_kimi.py", "tool_declaration_ts.py", "tiktoken.model")
    assert (result.state == "overlaid") == all(result.files[name] == "ours" for name in executed)
    assert result.would_load is (True if result.state == "overlaid" else result.would_load)


def killed_directories(
    killer: Killer, what: str, folder: Path, disk: str, step: int
) -> Iterator[tuple[Path, Snapshot, int]]:
    """For every n, or every `step`-th: a directory in which a process was killed at its n-th point, and how it was."""
    number = 1
    while True:
        models_dir = folder / f"{what}-{number}"
        models_dir.mkdir(parents=True)
        model_dir = mixed(models_dir)
        before = snapshot(models_dir)
        if what == "restore":
            do_sync(model_dir)
        if not killer.kills(what, model_dir, number):
            assert number > 25
            return
        assert_whole(model_dir, before, exchange=disk in ("exchange", "no-links"))
        assert_others_untouched(model_dir, before)
        assert_status_is_true(model_dir)
        yield model_dir, before, number
        number += step


def check_kills(what: str, folder: Path, *, disk: str, step: int, finish: Callable[[int], bool]) -> None:
    """Kill at every `step`-th point; then, as `finish` says, do the job again, and restore in any case."""
    with Killer(disk) as killer:
        for model_dir, before, number in killed_directories(killer, what, folder, disk, step):
            if finish(number // step):
                sync.recover(model_dir)
                do_sync(model_dir)
                assert not sync.plan(LIGHT, model_dir).writes
                assert not half_done(model_dir)
                assert_status_is_true(model_dir)
            sync.restore(model_dir)
            assert_same(snapshot(model_dir.parent), before, inodes=disk in ("exchange", "links"))


def only_as_able_as(disk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_flushing(monkeypatch.setattr)
    for less in DISKS[disk]:
        less(monkeypatch.setattr)


@pytest.mark.parametrize(("disk", "step"), [("exchange", 1), ("links", 3), ("neither", 2), ("no-links", 3)])
@pytest.mark.parametrize("what", ["sync", "restore"])
def test_killed_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, disk: str, step: int) -> None:
    only_as_able_as(disk, monkeypatch)
    check_kills(what, tmp_path, disk=disk, step=step, finish=lambda number: number % 2 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("finish", [True, False], ids=["finished", "undone"])
@pytest.mark.parametrize("disk", ["exchange", "neither"])
@pytest.mark.parametrize("what", ["sync", "restore"])
def test_killed_at_every_step_and_both_ways_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, disk: str, finish: bool
) -> None:
    only_as_able_as(disk, monkeypatch)
    check_kills(what, tmp_path, disk=disk, step=1, finish=lambda number: finish)


def test_killed_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_flushing(monkeypatch.setattr)
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    chance = random.Random(4)
    with Killer() as killer:
        for number in range(200):
            killer.kills_after(chance.uniform(0.0, 0.03), model_dir)
            assert_whole(model_dir, before)
            assert_others_untouched(model_dir, before)
            if number % 10 == 9:  # else the next one starts from what this one left
                assert_status_is_true(model_dir)
                sync.restore(model_dir)
                assert_same(snapshot(tmp_path), before)


def test_killed_while_two_generations_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """exo had replaced two files of ours; at whatever point a process is killed, both generations are still there."""
    no_flushing(monkeypatch.setattr)
    newer = b"class TikTokenTokenizer:\n    'Newer.'\n"
    name = f"{FOLDER}/tokenization_kimi.py"
    for what in ("sync", "restore"):
        with Killer() as killer:
            for number in range(1, 1000, 3):
                model_dir = mixed(tmp_path / f"{what}-{number}")
                before = snapshot(model_dir.parent)
                do_sync(model_dir)
                replaced_as_exo_does(model_dir / "tokenization_kimi.py", newer)
                if what == "restore":
                    do_sync(model_dir)
                killed = killer.kills(what, model_dir, number)
                try:
                    sync.restore(model_dir)
                except ChangedError:  # killed before there was a sync that knew of exo's file
                    sync.restore(model_dir, force=True)
                after = snapshot(model_dir.parent)
                both = [after.pop(name), after.pop(f"{name}.kept-1")]
                assert before.pop(name) in both
                assert newer in [content for _, content, *_ in both]
                assert_same(after, before)
                if not killed:
                    assert both[0][1] == newer
                    break


# -- full disks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("for_good", [True, False], ids=["from-there-on", "once"])
def test_disk_full_at_every_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool) -> None:
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    for number in range(1, 1000):
        full = DiskFull(number, for_good=for_good)
        with monkeypatch.context() as patch:
            no_flushing(patch.setattr)
            intercept(full.before, patch=patch.setattr)
            error = refusal(lambda: do_sync(model_dir))
        if not full.hit:
            assert number > (20 if for_good else 30)
            break
        if error is None:  # it failed where it did not matter
            sync.restore(model_dir)
        else:
            assert "no space left" in str(error)
        assert_same(snapshot(tmp_path), before)
    assert not sync.plan(LIGHT, model_dir).writes


def test_restore_needs_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what a link takes; where that is not to be had, the next restore goes on."""
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    for number in range(1, 1000):
        do_sync(model_dir)
        full = DiskFull(number, for_good=True)
        with monkeypatch.context() as patch:
            no_flushing(patch.setattr)
            intercept(full.before, patch=patch.setattr)
            error = refusal(lambda: sync.restore(model_dir))
        assert error is None or "no space left" in str(error)
        assert_whole(model_dir, before)
        sync.restore(model_dir)
        assert_same(snapshot(tmp_path), before)
        if not full.hit:
            break


def test_a_disk_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_flushing(monkeypatch.setattr)
    failures = 0
    for kilobytes in (0, 4, 8, 12, 2000, 2728, 2732, 2736, 2800, 2830, 2840, 2850, 2860, 2880, 6000):
        with small_disk(tmp_path / "disk", 8 << 20) as mounted:
            folder = tmp_path / "disk" / str(kilobytes)
            folder.mkdir()
            model_dir = mixed(folder)
            before = snapshot(folder)
            if mounted:
                fill(tmp_path / "disk" / "filling", kilobytes)
            else:  # this process may not mount disks
                full = DiskFull(kilobytes // 100 + 1, for_good=True)
                intercept(full.before, patch=monkeypatch.setattr)
            error = refusal(lambda directory=model_dir: sync.apply(sync.plan(OVERLAY, directory)))  # type: ignore[misc]
            if error is None:
                assert not sync.plan(OVERLAY, model_dir).writes
                sync.restore(model_dir)
            else:
                failures += 1
                assert "no space left" in str(error)
            assert_same(snapshot(folder), before)
            if not mounted:
                monkeypatch.undo()
    assert 8 <= failures < 15


def fill(path: Path, left: int) -> None:
    """Take all space of a disk but for that many kilobytes."""
    free = os.statvfs(path.parent)
    with path.open("wb") as stream:
        stream.write(bytes(max(0, free.f_bavail * free.f_frsize - left * 1024)))


# -- at the same time --------------------------------------------------------------------------------------

DURATIONS = [pytest.param(1.0, id="short"), pytest.param(10.0, id="long", marks=pytest.mark.slow)]


@pytest.mark.parametrize("seconds", DURATIONS)
@pytest.mark.parametrize("others", [do_sync, sync.restore], ids=["two-syncs", "sync-and-restore"])
def test_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: Callable[[Path], object], seconds: float
) -> None:
    no_flushing(monkeypatch.setattr)
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)

    def both() -> None:
        do_sync(model_dir)
        sync.restore(model_dir)

    with Spawned(both) as one, Spawned(lambda: others(model_dir)) as other:
        end = time.monotonic() + seconds
        while time.monotonic() < end or min(one.rounds, other.rounds) < 3:
            assert time.monotonic() < end + 60, "they wait for each other"
            assert_whole(model_dir, before)
    do_sync(model_dir)
    assert not sync.plan(LIGHT, model_dir).writes
    sync.restore(model_dir)
    assert_same(snapshot(tmp_path), before)


@pytest.mark.parametrize(("disk", "seconds"), [*((disk, 1.0) for disk in DISKS), ("exchange", 5.0), ("neither", 5.0)])
def test_at_the_same_time_as_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str, seconds: float
) -> None:
    """Whatever a downloader puts there is in its place afterwards, or kept, until the downloader itself removes it."""
    only_as_able_as(disk, monkeypatch)
    model_dir = mixed(tmp_path)
    before = snapshot(tmp_path)
    chance = random.Random(4)
    last: dict[str, bytes] = {}
    do_sync(model_dir)
    with Spawned(lambda: do_sync(model_dir)) as syncing:
        end = time.monotonic() + seconds
        while time.monotonic() < end or syncing.rounds < 3:
            assert time.monotonic() < end + 60, "it waits for something"
            name = chance.choice(["tokenization_kimi.py", "tokenizer_config.json", "tool_declaration_ts.py"])
            if name in last:
                assert last[name] in contents(model_dir, name), f"a version of {name} is lost"
            if chance.random() < 0.5:
                (model_dir / name).unlink(missing_ok=True)  # as exo does where the size differs
            last[name] = json.dumps({"version": chance.random()}).encode()
            replaced_as_exo_does(model_dir / name, last[name])
            if disk != "neither":  # where nothing is moved in one step, a file of ours is written in its place
                assert_nothing_is_torn(model_dir, before, last)
            time.sleep(chance.uniform(0, 0.01))
    do_sync(model_dir)
    sync.restore(model_dir)
    for name, content in last.items():
        assert (model_dir / name).read_bytes() == content
    for name in ("tokenization_kimi.py", "tool_declaration_ts.py"):
        assert before[f"{FOLDER}/{name}"][1] in contents(model_dir, name), f"the first {name} is lost"
    assert any(os.path.islink(path) for path in model_dir.glob("tokenizer_config.json*"))
    assert (tmp_path / "blobs" / "config").read_bytes() == before["blobs/config"][1]
    assert not (model_dir / RECORD).exists()


def assert_nothing_is_torn(model_dir: Path, before: Snapshot, last: Mapping[str, bytes]) -> None:
    for name in LIGHT.files:
        old = before.get(f"{FOLDER}/{name}", ("",))
        known = [None, LIGHT.read(name), last.get(name), before["blobs/config"][1], *old[1:2]]
        assert read(model_dir / name) in known, f"{name} is torn"
