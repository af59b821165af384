"""While files of a directory are renamed in and out: what is handed out or written is what was checked, or an error.

A file is exchanged for one of another vocabulary, or of another line, in a process of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from disk_faults import no_flushing
from hostile.directories import FOLDER, MODEL
from hostile.flipping import Flipping
from layouts import write_layout
from sync_directories import LIGHT, OVERLAY, Spawned, forked, replaced_as_exo_does

import kimi_tokenizers as kt
from kimi_tokenizers import sync, view
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs.renaming import FREE, renamed

CONFIG, VOCAB, LINE, PYTHON = "tokenizer_config.json", "tiktoken.model", "kimi_line.json", "tokenization_kimi.py"
PROBE, IDS = "<think><|im_end|>", [163606, 163586]
ROUNDS, SECONDS = 40, 60  # at least so many rounds; and for so long, until both outcomes were met


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.mktemp("cache")))
    no_flushing(monkeypatch.setattr)


def other(name: str) -> bytes:
    """What takes the place of a file: the guard refuses it in the company of the other files, or `sync` replaces it."""
    if name == VOCAB:
        return b"YQ== 0\nYg== 1\n"
    if name == LINE:
        return b'{"line": "kimi-k2-instruct"}'
    config = json.loads(OVERLAY.read(CONFIG))
    config["added_tokens_decoder"]["163586"]["content"] = "<|of_another_model|>"
    return json.dumps(config).encode()


def flipping(model_dir: Path, name: str) -> Flipping:
    (model_dir.parent.parent / name).write_bytes(other(name))
    return Flipping(model_dir / name, model_dir.parent.parent / name)


def goes_on(done: int, refused: int, name: str, end: float) -> bool:
    both = done > 0 and (refused > 0 or name == LINE)  # a line is not believed against the rest: that is no refusal
    return done + refused < ROUNDS or (not both and time.monotonic() < end)


def by_resolving(model_dir: Path, target: Path) -> bool:
    return _is_right(kt.resolve(MODEL, model_dir))


def by_a_view(model_dir: Path, target: Path) -> bool:
    (model,) = view.make(target, [model_dir.parent]).models
    if model.problem is not None:
        raise KimiTokenizersError(model.problem)
    return _is_right(target / model.folder)


def _is_right(front: Path) -> bool:
    table = json.loads((front / CONFIG).read_bytes())["added_tokens_decoder"]
    right = (OVERLAY.files[VOCAB].size, OVERLAY.read(LINE))
    return table["163586"]["content"] == "<|im_end|>" and right == (
        (front / VOCAB).stat().st_size,
        (front / LINE).read_bytes(),
    )


def by_loading(model_dir: Path, target: Path) -> bool:
    return kt.load(MODEL, model_dir).encode(PROBE, add_special_tokens=False) == IDS


def by_registering(model_dir: Path, target: Path) -> bool:
    from transformers import AutoTokenizer

    kt.register()
    with warnings.catch_warnings():
        # A directory that is refused is another model's, and from there on transformers' own affair.
        warnings.filterwarnings("error", "kimi-tokenizers leaves this directory", RuntimeWarning)
        try:
            found: list[int] = AutoTokenizer.from_pretrained(model_dir).encode(PROBE, add_special_tokens=False)
        except RuntimeWarning as warning:
            raise KimiTokenizersError(str(warning)) from warning
    return found == IDS


@pytest.mark.parametrize("way", [by_resolving, by_a_view, by_loading, by_registering])
def test_what_is_handed_out_is_what_was_checked(way: Callable[[Path, Path], bool], tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / "models" / FOLDER, "good")
    (model_dir / LINE).write_bytes(OVERLAY.read(LINE))

    def rounds() -> tuple[list[bool], int]:
        done, refused, end = [], 0, time.monotonic() + SECONDS
        while goes_on(len(done), refused, CONFIG, end):
            try:
                done.append(way(model_dir, tmp_path / "view"))
            except KimiTokenizersError:
                refused += 1
        return done, refused

    with flipping(model_dir, CONFIG), flipping(model_dir, VOCAB), flipping(model_dir, LINE):
        outcome: Any = forked(rounds)
    assert not isinstance(outcome, BaseException), outcome
    done, refused = outcome
    assert all(done)
    assert done
    assert refused > 0  # else nothing was proved


@pytest.mark.parametrize("name", [CONFIG, VOCAB, LINE])
def test_sync_writes_its_own_files_whole_or_nothing(name: str, tmp_path: Path) -> None:
    """Beside a downloader that puts one version there and then the other."""
    model_dir = write_layout(tmp_path / "models" / FOLDER, "broken")
    versions = (LIGHT.read(name) if name != CONFIG else (model_dir / CONFIG).read_bytes(), other(name))

    def download() -> None:
        for version in versions:
            replaced_as_exo_does(model_dir / name, version)

    done, refused, end = 0, 0, time.monotonic() + SECONDS
    with Spawned(download) as downloads:
        while goes_on(done, refused, name, end):
            try:
                sync.apply(sync.plan(LIGHT, model_dir))
            except KimiTokenizersError:
                refused += 1
                assert not (model_dir / "tokenization_kimi.py").exists()
            else:
                done += 1
                for file in LIGHT.files.keys() - {name, CONFIG, "chat_template.jinja"}:
                    assert (model_dir / file).read_bytes() == LIGHT.read(file)
                sync.restore(model_dir, force=True)
    assert downloads.rounds > 0
    assert done > 0
    assert refused > 0 or name == LINE


@pytest.mark.parametrize("name", [CONFIG, LINE, PYTHON])
def test_sync_and_restore_lose_no_version(name: str, tmp_path: Path) -> None:
    """Beside a process that takes away what is there and puts a new version there, and itself replaces nothing."""
    model_dir = write_layout(tmp_path / "models" / FOLDER, "broken")
    (tmp_path / "others").mkdir()
    numbers = itertools.count()

    def move(source: Path, target: Path) -> None:
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            assert renamed(-1, str(source), -1, str(target), FREE)

    def put() -> None:
        number = next(numbers)
        new = tmp_path / "others" / f"{number}"
        new.write_text(json.dumps({"version": number, **versioned}))
        move(model_dir / name, tmp_path / "others" / f"{number}.taken")
        move(new, model_dir / name)

    versioned = json.loads(OVERLAY.read(name)) if name != PYTHON else {}
    done, end = 0, time.monotonic() + SECONDS
    with Spawned(put) as putting:
        while done < ROUNDS and time.monotonic() < end:
            try:
                sync.apply(sync.plan(LIGHT, model_dir), force=True)
                done += 1
            except KimiTokenizersError:
                continue
            finally:
                with contextlib.suppress(KimiTokenizersError):
                    sync.restore(model_dir, force=True)
    assert done > 0
    kept = {json.loads(content)["version"] for content in found(tmp_path) if content.startswith(b'{"version"')}
    assert set(range(putting.rounds)) - kept == set()


def found(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())
