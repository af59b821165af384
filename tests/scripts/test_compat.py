"""scripts/compat.py: the test modules that it names are there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_module_that_it_runs_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))  # it finds the tests' helpers by it
    spec = importlib.util.spec_from_file_location("compat", ROOT / "scripts" / "compat.py")
    assert spec is not None
    assert spec.loader is not None
    compat = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compat)
    for name in (*compat.TESTS, *compat.MLX_TESTS):
        assert len(list((ROOT / "tests").rglob(f"test_{name}.py"))) == 1, name
