"""Text that others wrote never reaches a terminal raw: hostile names and contents, every command, files and terminals.

The commands run in processes of their own, on this Python with everything installed, and as the one file without any.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from conftest import ROOT
from layouts import write_layout
from sync_directories import MODEL, OVERLAY, broken

from kimi_tokenizers.commands import one_file, parity, tables
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.escaping import escaped, escaped_json
from kimi_tokenizers.evidence import Difference, Report

MARKS = "\x00\x07\x08\x1b\x7f\x80\x9b\u00ad\u061c\u200b\u200d\u200e\u200f\u2028\u202a\u202e\u2060\u2066\u2069\ufeff"
FILLERS = "\u034f\u115f\u2800\u3164\ufe0f\uffa0\U000e0041"
EVIL = "\x1b[31m[/red]\u202e\u200b\x9b"
NAME = EVIL.replace("/", "")  # of a file


def raw(text: str) -> set[str]:
    """The characters of an output that nothing here may print, but for our colours and what redraws a line."""
    for ours in ("\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\r\x1b[K", "\r\n"):
        text = text.replace(ours, "")
    return {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") and one != "\n"}


@pytest.mark.parametrize("character", MARKS + FILLERS + "\ud800\n\r\t")
def test_what_is_not_seen_is_escaped(character: str) -> None:
    said = escaped(f"a{character}b")
    assert said.startswith("a\\")
    assert said.endswith("b")
    assert said.isascii()
    value = {f"k{character}": [f"v{character}"]}
    text = escaped_json(value)
    assert text.isascii()
    assert json.loads(text) == value


@pytest.mark.parametrize("text", ["plain", "a b-c_d.json", "Ünïcödé", "北京 👋", "[/red] <b>", "\\x1b"])
def test_what_is_seen_stays(text: str) -> None:
    assert escaped(text) == text
    assert json.loads(escaped_json(text, ascii_only=True)) == text


def test_an_error_can_be_printed_whatever_it_holds() -> None:
    assert str(KimiTokenizersError(f"in {EVIL}\nsecond line")) == f"in {escaped(EVIL)}\nsecond line"


def test_colours_are_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    tables.emit(tables.coloured(f"ours {EVIL}", "red", terminal), terminal)
    assert terminal.getvalue() == f"\x1b[31mours {escaped(EVIL)}\x1b[0m\n"


def test_markup_and_escapes_in_a_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(f"line{EVIL}[bold]", "tiktoken", f"/models/{EVIL}[bold]", f"fast{EVIL}", 1, {})
    report.notes.append(f"note {EVIL}")
    report.shown.append(Difference(f"part{EVIL}", f"id {EVIL}", EVIL, [EVIL], [f"[/red]{EVIL}"]))
    parity.print_report(report)
    said = capsys.readouterr().out
    assert not raw(said)
    assert "[/red]" in said
    assert "[bold]" in said


def test_what_is_being_waited_for() -> None:
    waiting = Waiting("examining", 2)
    waiting.next(f"model {EVIL}")
    assert not raw(waiting.text())


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that are what they should be but for text with marks, wherever there is room for text."""
    folder = tmp_path_factory.mktemp("names") / f"models {NAME}"
    folder.mkdir()
    broken(folder)
    for number, marks in enumerate((NAME, "\x1b]0;title\x07", "\u2066\u061c\n[red]", os.fsdecode(b"\xff\x1b[2J"))):
        model_dir = write_layout(folder / f"moonshotai--Kimi-K2.6-{number}{marks}", "broken")
        (model_dir / f"{marks}.py").write_text("")
        config = json.loads(OVERLAY.read("tokenizer_config.json"))
        config |= {"bos_token": marks, "auto_map": {"AutoTokenizer": [f"x{EVIL}.Y", None]}, EVIL: EVIL}
        config["added_tokens_decoder"] |= {"163587": {"content": f"<|{EVIL}|>", "special": True}}
        (model_dir / "tokenizer_config.json").write_text(json.dumps(config))
        (model_dir / "kimi_line.json").write_text(json.dumps({"line": EVIL}))
        (model_dir / "tokenization_kimi.py").write_text(f"import {'x'}  # {EVIL}\nraise SystemError({EVIL!r})\n")
        state = model_dir / ".kimi-tokenizers"
        state.mkdir()
        (state / "journal.json").write_text(json.dumps({"version": EVIL, EVIL: EVIL}))
    (folder / "report.json").write_text(
        json.dumps({"schema": 1, "node": EVIL, "ok": True, "models": [{"model": EVIL, "path": EVIL, "state": EVIL}]})
    )
    return folder


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("one file") / one_file.NAME
    one_file.write_one_file(path)
    return path


COMMANDS = (
    ["status", "--verbose", "{0}"],
    ["status", "--json", "{0}"],
    ["status", "--compare", "{0}/report.json", "{0}/report.json"],
    ["explain", "{0}"],
    ["explain", "--json", "{0}"],
    ["sync", "--dry-run", "{0}"],
    ["restore", "{0}"],
    ["restore", "--json", "{0}"],
    ["view", "--dry-run", "{0}/../view {1}", "{0}"],
    ["cluster", "{1}", "no such node {1}"],
    ["status", "--no-such-{1}"],
    ["{1}"],
)


def in_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """Everything that a command prints on a terminal."""
    pty = pytest.importorskip("pty")
    master, terminal = pty.openpty()
    said = b""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment, cwd=ROOT
    ):
        os.close(terminal)
        with contextlib.suppress(OSError):  # Linux ends a terminal with EIO
            while block := os.read(master, 65536):
                said += block
    os.close(master)
    return said.decode("utf-8")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]).replace("{1}", "X"))
@pytest.mark.parametrize("way", ["one file", "terminal"])
def test_no_command_prints_what_others_wrote_raw(
    models: Path, pyz: Path, tmp_path: Path, words: list[str], way: str
) -> None:
    command = [sys.executable, "-m", "kimi_tokenizers"]
    if way == "one file":
        command = [sys.executable, "-I", "-S", str(pyz)]
    command += [word.format(models, NAME) for word in words]
    environment = {**os.environ, "HOME": str(tmp_path), "KIMI_TOKENIZERS_CACHE": str(tmp_path), "TERM": "xterm"}
    environment |= {"PYTHONIOENCODING": "utf-8", "EXO_DEFAULT_MODELS_DIR": str(models)}
    environment.pop("NO_COLOR", None)
    if way == "terminal":
        said = in_a_terminal(command, environment)
    else:
        done = subprocess.run(command, capture_output=True, check=False, cwd=ROOT, env=environment)
        said = (done.stdout + done.stderr).decode("utf-8")
    assert said.strip()
    assert "Traceback" not in said, said
    assert not raw(said), said


def test_the_plugin(models: Path, tmp_path: Path) -> None:
    given = [f"--kimi-model-dir={path}" for path in sorted(models.iterdir()) if path.is_dir()][1:3]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", "-rA", "--rootdir", str(tmp_path)]
    command += [*given, f"--kimi-model={MODEL}", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    said = (done.stdout + done.stderr).decode("utf-8")
    assert "vocabulary" in said
    assert not raw(said), said
