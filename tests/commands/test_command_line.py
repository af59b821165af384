"""The command line, in real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from layouts import write_layout

import kimi_tokenizers
from kimi_tokenizers.known_answers import KNOWN_ANSWERS

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str, stdin: str | bytes = b"", home: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command out of the checkout at `home`."""
    done = subprocess.run(
        [sys.executable, "-m", "kimi_tokenizers", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(home), "COLUMNS": "120"},
        cwd=home,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_demo_shows_the_failure_and_the_mending() -> None:
    done = run("demo", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    results = {step["what"]: step["result"] for step in report["steps"]}
    assert results["exo without the overlay"].endswith("FileNotFoundError: tokenization_kimi.py")
    assert results["exo with the overlay, steps 1 to 6"] == "TikTokenTokenizer, 163,840 tokens"
    assert "TokenizerWrapper" in results["exo with the overlay, step 7"]
    assert results["parse a tool call"] == "get_weather({'city': '北京'})"
    assert all(step["ok"] for step in report["steps"])


def test_demo_prints_a_table_for_people() -> None:
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert "moonshotai/Kimi-K2.6: works" in done.stdout
    assert "\x1b" not in done.stdout  # no colours where there is no terminal


def test_verify_says_what_it_checked_and_with_which_versions() -> None:
    done = run("verify", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert report["answers"] > 2 * len(KNOWN_ANSWERS)
    assert report["versions"]["kimi-tokenizers"] == kimi_tokenizers.__version__
    assert set(report["versions"]) >= {"python", "tiktoken", "transformers"}
    assert set(report["fingerprints"]) == {"kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6"}


@pytest.mark.parametrize("name", ["common/tiktoken.model", "common/tokenization_kimi.py", "kimi-k2.5/kimi_line.json"])
def test_verify_finds_a_damaged_file(tmp_path: Path, name: str) -> None:
    shutil.copytree(ROOT / "kimi_tokenizers", tmp_path / "kimi_tokenizers")
    damaged = tmp_path / "kimi_tokenizers" / "overlays" / name
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    done = run("verify", home=tmp_path)
    assert done.returncode == 1
    assert name in done.stdout
    assert "is damaged" in done.stdout


def test_verify_finds_a_wrong_answer(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "kimi_tokenizers", tmp_path / "kimi_tokenizers")
    answers = tmp_path / "kimi_tokenizers" / "known_answers.py"
    answers.write_text(answers.read_text().replace("(19180,11,2695,0)", "(19180,11,2695,1)", 1))
    done = run("verify", home=tmp_path)
    assert done.returncode == 1
    assert "'Hello, world!' encodes to [19180, 11, 2695, 0]" in done.stdout


def test_count_standard_input() -> None:
    assert run("count", stdin="Hello, world!").stdout.split() == ["4", "-"]
    assert run("count", "-", "--json", stdin="世界<|im_end|>\n").stdout
    [count] = json.loads(run("count", "-", "--json", stdin="世界<|im_end|>\n").stdout)
    assert count == {"file": "-", "tokens": 3, "characters": 13, "bytes": 17}


def test_count_files_and_their_total(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("Hello, world!<think>")
    (tmp_path / "b").write_text("")
    done = run("count", str(tmp_path / "a"), str(tmp_path / "b"))
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["5", "0", "5"]
    done = run("count", "--plain", str(tmp_path / "a"))
    assert done.stdout.split()[0] == "6"
    done = run("count", "--model", "moonshotai/Kimi-K2-Instruct", str(tmp_path / "a"))
    assert done.stdout.split()[0] == "6"


def test_count_refuses_what_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    done = run("count", str(tmp_path / "latin"))
    assert done.returncode == 1
    assert "not UTF-8" in done.stderr
    assert "0xe9" in done.stderr
    done = run("count", str(tmp_path / "missing"))
    assert done.returncode == 1
    assert "missing" in done.stderr
    done = run("count", stdin=b"\xff")
    assert done.returncode == 1


def test_errors_are_one_line_with_exit_status_1_and_usage_errors_have_2() -> None:
    done = run("count", "--model", "moonshotai/Kimi-K3", stdin="x")
    assert done.returncode == 1
    assert done.stderr.startswith("kimi-tokenizers: No overlay serves 'moonshotai/Kimi-K3'")
    assert "Traceback" not in done.stderr
    assert run("count", "--no-such-option").returncode == 2
    assert run("no-such-command").returncode == 2
    assert run("--version").stdout == f"kimi-tokenizers {kimi_tokenizers.__version__}\n"


@pytest.mark.parametrize("command", ["demo", "verify", "count", "view"])
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_view_and_its_removal(tmp_path: Path) -> None:
    models = tmp_path / "models"
    write_layout(models / "moonshotai--Kimi-K2.6", "broken")
    target = tmp_path / "a view"
    done = run("view", str(target), "--from", str(models), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would change" in done.stdout
    assert not target.exists()
    done = run("view", str(target), "--from", str(models))
    assert done.returncode == 0, done.stderr
    assert "moonshotai/Kimi-K2.6: complete" in done.stdout
    assert f"export EXO_MODELS_READ_ONLY_DIRS='{target}'" in done.stdout
    assert (target / "moonshotai--Kimi-K2.6" / "tokenization_kimi.py").is_file()
    report = json.loads(run("view", str(target), "--from", str(models), "--json").stdout)
    assert (report["ok"], report["models"][0]["changes"]) == (True, [])
    done = run("view", str(target), "--remove")
    assert done.returncode == 0, done.stderr
    assert not target.exists()
    assert run("view", str(target), "--remove").returncode == 1
    assert run("view", str(target), "--remove", "--from", str(models)).returncode == 2


def test_view_reports_a_model_that_the_guard_refuses(tmp_path: Path) -> None:
    write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "k3")
    done = run("view", str(tmp_path / "view"), "--from", str(tmp_path / "models"))
    assert done.returncode == 1
    assert "has model_type 'kimi_k3'" in done.stderr
    assert "Traceback" not in done.stderr
