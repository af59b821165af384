"""What the guard remembers: nobody else's word counts, and a cache that cannot be written to forgets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kimi_tokenizers.model_dirs import CACHE_VARIABLE, TokenizerFiles, verdicts


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(path))
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[TokenizerFiles]:
    (tmp_path / "model").mkdir()
    with TokenizerFiles(tmp_path / "model") as found:
        yield found


def test_a_verdict_is_kept(root: Path, directory: TokenizerFiles) -> None:
    assert not verdicts.has_verdict("abc")
    verdicts.keep_verdict("abc", directory)
    assert verdicts.has_verdict("abc")
    assert not verdicts.has_verdict("abd")


def test_a_verdict_in_somebody_elses_cache_does_not_count(
    root: Path, directory: TokenizerFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts.keep_verdict("abc", directory)
    monkeypatch.setattr(os, "geteuid", lambda: root.stat().st_uid + 1)
    assert not verdicts.has_verdict("abc")
    verdicts.keep_verdict("abd", directory)
    assert os.listdir(root / "verdicts") == ["abc"]


def test_a_cache_that_cannot_be_written_to_forgets(root: Path, directory: TokenizerFiles) -> None:
    root.write_bytes(b"")
    verdicts.keep_verdict("abc", directory)
    assert not verdicts.has_verdict("abc")
