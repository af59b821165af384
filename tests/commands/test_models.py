"""`models`: every line, and for each of its files how that is known to be right."""

from __future__ import annotations

import json

import pytest

from kimi_tokenizers.catalogue import LINES, overlays
from kimi_tokenizers.commands import main


def test_every_line_is_listed_with_its_models_files_and_revisions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report)[:3] == ["schema", "ok", "problems"]
    assert [line["line"] for line in report["lines"]] == list(LINES)
    for line in report["lines"]:
        overlay = overlays()[line["line"]]
        assert line["models"] == list(overlay.models)
        assert [file["name"] for file in line["files"]] == list(overlay.files)
        assert line["revisions"][overlay.upstream.repo] == overlay.upstream.revision
        assert line["evidence"]["tiktoken.model"] == "hash"


def test_people_read_what_is_proved_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert all(line in printed for line in LINES)
    of_line = dict(zip(LINES, printed.split("\nkimi-"), strict=False))
    assert "not provided" in of_line["kimi-k2.7-code"]
    assert "not provided" not in of_line["kimi-k3"]  # it has a chat encoder and needs no template
