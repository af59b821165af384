"""scripts/campaign.py: it tries everything, counts it, and fails where a promise is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from kimi_tokenizers import sync

PARTS = ("kills", "disks", "races", "texts", "chats", "configurations", "hostile-directories")


@pytest.fixture(scope="module")
def campaign() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        return __import__("campaign")


def test_a_round_tries_everything_and_counts_it() -> None:
    argv = [sys.executable, ROOT / "scripts" / "campaign.py", "--minutes", "0.01", "--seed", "1", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert (report["faults"], report["ok"], report["seed"], done.returncode) == ([], True, 1, 0)
    tried = ("kills", "full disks", "contents in races", "texts", "chats", "configurations", "hostile directories")
    assert all(report["counts"][what] > 0 for what in (*tried, "rounds"))


def test_a_summary_line(
    campaign: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert tuple(campaign.PARTS) == PARTS
    monkeypatch.setattr(sys, "argv", ["campaign.py", "--minutes", "0", "--seed", "7", "--part", "texts"])
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path))
    assert campaign.main() == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("campaign: seed 7, ")
    assert line.endswith(": 1 rounds, 500 texts: nothing lost, no wrong id, no promise broken")


def test_a_planted_loss_is_found(campaign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original = sync.restore

    def losing(model_dir: Path) -> object:
        result = original(model_dir)
        (model_dir / "tool_declaration_ts.py").unlink()
        return result

    monkeypatch.setattr(sync, "restore", losing)
    for part in ("kills", "disks", "races"):
        _, faults = campaign.run(0, 1, [part])
        assert len(faults) == 1
        assert faults[0].startswith(f"{part}, round 1: ")


def test_a_planted_wrong_id_is_found(
    campaign: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for line in ("kimi-k2.6", "kimi-k3", "kimi-k2-instruct", "kimi-k2-thinking"):
        encode = campaign.tokenizer(line).encode
        wrong = staticmethod(lambda *arguments, encode=encode, **options: [*encode(*arguments, **options), 64])
        monkeypatch.setattr(campaign.tokenizer(line), "encode", wrong.__func__)
    monkeypatch.setattr(sys, "argv", ["campaign.py", "--minutes", "0", "--seed", "1", "--part", "texts", "chats"])
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path))
    assert campaign.main() == 1
    shown = capsys.readouterr()
    assert "2 FAULTS" in shown.out
    assert "wrong ids of" in shown.err
