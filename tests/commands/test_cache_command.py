"""`cache`: what it says is there, and that cleaning takes away what is ours and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout

import kimi_tokenizers as kt
from kimi_tokenizers.commands import main

MODEL = "moonshotai/Kimi-K2.6"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def report(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    capsys.readouterr()
    assert main(["cache", "--json", *arguments]) == status
    value = json.loads(capsys.readouterr().out)
    assert list(value)[:3] == ["schema", "ok", "problems"]
    assert value["ok"] == (status == 0)
    return value


def fill(tmp_path: Path) -> Path:
    """An entry and verdicts, as `resolve` makes them."""
    model_dir = write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "good")
    for path in model_dir.iterdir():
        os.utime(path, (1e9, 1e9))
    return kt.resolve(MODEL, model_dir)


def test_where_it_is_and_what_is_in_it(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = report(capsys)
    assert (value["path"], value["source"], value["exists"], value["used"]) == (
        str(cache),
        "KIMI_TOKENIZERS_CACHE",
        False,
        True,
    )
    entry = fill(tmp_path)
    value = report(capsys)
    assert value["exists"] is True
    resolved = [item for item in value["items"] if item["kind"] == "resolved"]
    assert [item["path"] for item in resolved] == [str(entry)]
    assert resolved[0]["size"] == sum(path.stat().st_size for path in entry.iterdir())
    assert value["size"] >= resolved[0]["size"]


def test_cleaning_takes_ours_and_leaves_the_rest(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = fill(tmp_path)
    (cache / "resolved" / ".new-killed").mkdir()
    (cache / "verdicts").mkdir(exist_ok=True)
    (cache / "verdicts" / ("0" * 64)).touch()
    theirs = [cache / "notes.txt", cache / "resolved" / "mine.txt", cache / "verdicts" / "mine.txt"]
    for path in theirs:
        path.write_text("mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    (cache / "resolved" / ("a" * 32)).symlink_to(outside)  # named like an entry
    value = report(capsys, "--clean", "--all", "--dry-run")
    assert {item["kind"] for item in value["items"]} == {"resolved", "leftover", "verdict"}
    assert entry.is_dir()
    value = report(capsys, "--clean", "--all")
    assert value["cleaned"] is True
    assert sorted(value["left"]) == ["notes.txt", f"resolved/{'a' * 32}", "resolved/mine.txt", "verdicts/mine.txt"]
    assert not entry.exists()
    assert not (cache / "resolved" / ".new-killed").exists()
    assert os.listdir(cache / "verdicts") == ["mine.txt"]
    assert all(path.read_text() == "mine" for path in (*theirs, outside / "precious"))
    assert report(capsys)["items"] == []
    assert fill(tmp_path).is_dir()  # it is made anew


def test_what_was_handed_out_within_the_last_hour_stays(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody may just be loading it."""
    entry = fill(tmp_path)
    value = report(capsys, "--clean")
    assert [item["in_use"] for item in value["items"] if item["kind"] == "resolved"] == [True]
    assert entry.is_dir()
    assert main(["cache", "--clean"]) == 0
    assert "1 handed out within the last hour, and kept" in capsys.readouterr().out
    os.utime(entry, (1e9, 1e9))
    assert kt.resolve(MODEL, tmp_path / "models" / "moonshotai--Kimi-K2.6") == entry  # so it is handed out again
    report(capsys, "--clean")
    assert entry.is_dir()
    os.utime(entry, (1e9, 1e9))
    report(capsys, "--clean")
    assert not entry.exists()


def test_a_cache_that_is_not_used_is_not_cleaned(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = fill(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    value = report(capsys, status=1)
    assert (value["used"], value["why"]) == (False, f"it belongs to user id {cache.stat().st_uid}")
    value = report(capsys, "--clean", status=1)
    assert "nothing in it was removed" in value["problems"][0]
    assert entry.is_dir()


def test_a_file_in_its_place(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.write_text("")
    assert "is not a directory" in report(capsys, status=1)["why"]


def test_a_dry_run_of_nothing_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cache", "--dry-run"])
    assert ended.value.code == 2


def test_for_people(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    assert main(["cache"]) == 0
    assert f"{cache} (KIMI_TOKENIZERS_CACHE)\n  used: it is yours" in capsys.readouterr().out
    assert main(["cache", "--clean", "--all"]) == 0
    assert "removed" in capsys.readouterr().out


@pytest.mark.slow
def test_processes_that_resolve_while_it_is_cleaned_always_get_whole_entries(tmp_path: Path, cache: Path) -> None:
    model_dir = write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "good")
    code = (
        "import sys, kimi_tokenizers as kt\n"
        "for _ in range(30):\n"
        "    path = kt.resolve('moonshotai/Kimi-K2.6', sys.argv[1])\n"
        "    try:\n"
        "        data = (path / 'tokenization_kimi.py').read_bytes()\n"
        "    except FileNotFoundError:\n"
        "        continue  # it was cleaned in between, as a whole\n"
        "    assert data.endswith(b'\\n') and len(data) > 1000\n"
    )
    cleaner = (
        "from kimi_tokenizers.commands import main\n"
        "import sys\n"
        "sys.exit(max(main(['cache', '--clean', '--all']) for _ in range(30)))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(model_dir)], stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for program in (code, cleaner, code)
    ]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
