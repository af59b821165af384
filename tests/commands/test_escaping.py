"""Text that others wrote never reaches a terminal raw: hostile names and contents, every command, files and terminals.

Every command runs in this process, on what passes for a terminal; one as the one file, and one on a real terminal.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from layouts import write_layout
from sync_directories import MODEL, OVERLAY, broken

from kimi_tokenizers.commands import demo, main, one_file, output, parity, upstream, verify
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.escaping import escaped, escaped_json
from kimi_tokenizers.evidence import Difference, Finding, Report, Verification
from kimi_tokenizers.evidence.changes import Change

MARKS = "\x00\x07\x08\x1b\x7f\x80\x9b\u00ad\u061c\u200b\u200d\u200e\u200f\u2028\u202a\u202e\u2060\u2066\u2069\ufeff"
FILLERS = "\u034f\u115f\u2800\u3164\ufe0f\uffa0\U000e0041"
EVIL = "\x1b[31m[/red]\u202e\u200b\x9b"
NAME = EVIL.replace("/", "")  # of a file


REDRAWN = ("\r\x1b[K", "\r\n", "\x1b[?25l", "\x1b[?25h", "\r\x1b[2K", "\x1b[1A\x1b[2K", "\r")


def raw(text: str) -> set[str]:
    """The characters of an output that nothing here may print, but for our colours and what redraws a line."""
    for ours in ("\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1;31m", *REDRAWN):
        text = text.replace(ours, "")
    return {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") and one != "\n"}


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


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
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    output.emit(output.coloured(f"ours {EVIL}", "red", terminal), terminal)
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


@pytest.mark.parametrize("crash", [KeyError, OSError, UserWarning])
def test_what_python_and_libraries_say_of_their_own_accord(
    monkeypatch: pytest.MonkeyPatch, crash: type[Exception]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    output.escape_errors()
    handler = logging.StreamHandler()
    handler.handle(logging.LogRecord("transformers", logging.WARNING, EVIL, 1, f"log {EVIL}", (), None))
    sys.stderr.writelines([warnings.formatwarning(f"warning {EVIL}", UserWarning, f"{EVIL}.py", 1)])
    try:
        try:
            raise ValueError(f"first {EVIL}")
        except ValueError as error:
            raise crash(f"second {EVIL}") from error
    except crash as error:
        error.__notes__ = [f"note {EVIL}"]  # type: ignore[attr-defined]
        sys.excepthook(crash, error, error.__traceback__)
    said = terminal.getvalue()
    assert not raw(said)
    assert all(word in said for word in ("log", "warning", "first", "second"))
    assert sys.stderr.isatty()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that are what they should be but for text with marks, wherever there is room for text."""
    folder = tmp_path_factory.mktemp("names") / f"models {NAME}"
    folder.mkdir()
    broken(folder)
    for number, marks in enumerate(("\x1b]0;title\x07\u2066\u061c\n[red]", os.fsdecode(b"\xff\x1b[2J"))):
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
    (folder / f"text {NAME}").write_text(EVIL)
    (folder / f"Latin-1 {NAME}").write_bytes(b"\xff\x1b")
    return folder


COMMANDS = (
    ["status", "--verbose", "{0}"],
    ["status", "--json", "{0}"],
    ["status"],
    ["status", "--compare", "{0}/report.json", "{0}/report.json"],
    ["status", "{1}"],
    ["explain", "{0}"],
    ["explain", "--json", "{0}"],
    ["sync", "--dry-run", "{0}"],
    ["restore", "{0}"],
    ["restore", "--json", "{0}"],
    ["view", "--dry-run", "--from", "{0}", "{0}/../view {1}"],
    ["view", "--remove", "{0}"],
    ["view", "--from", "{0}/../none {1}", "--model", "{1}", "{0}/../view {1}"],
    ["cluster", "{1}", "no such node {1}"],
    ["cluster", "status", "no such node {1}", "--env", "EXO_HOME={1}", "--ssh", "no such ssh {1}"],
    ["models"],
    ["count", "{0}/text {1}"],
    ["count", "--json", "{0}/text {1}", "{0}/text {1}"],
    ["count", "{0}/Latin-1 {1}"],
    ["count", "{0}/none {1}"],
    ["count", "--model", "{1}", "{0}/text {1}"],
    ["cache"],
    ["cache", "--clean", "--dry-run"],
    ["export", "--model", "{1}"],
    ["export", "tokenizer.json", "{0}/report.json"],
    ["export", "{1}", "{1}", "{1}"],
    ["parity", "{1}"],
    ["parity", "{0}"],
    ["upstream", "--model", "{1}"],
    ["completion", "{1}"],
    ["status", "--no-such-{1}"],
    ["cache", "{1}"],
    ["{1}"],
)
VARIABLES = ("HOME", "EXO_HOME", "EXO_MODELS_DIRS", "EXO_DEFAULT_MODELS_DIR", "EXO_MODELS_READ_ONLY_DIRS", "HF_HOME")


@pytest.fixture
def said(models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What a command writes on a terminal, where every path that the environment names has marks in it, too."""
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{models}/{name}{NAME}")
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path / f"cache {NAME}"))
    monkeypatch.setenv("KIMI_TOKENIZERS_ENGINE", NAME)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def said(*words: str) -> str:
        with contextlib.redirect_stdout(Terminal()) as terminal, contextlib.redirect_stderr(terminal):  # noqa: SIM117
            with contextlib.suppress(SystemExit):
                main(words)
        return terminal.getvalue()

    return said


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words).replace("{0}/", "").replace("{1}", "X"))
def test_no_command_prints_what_others_wrote_raw(models: Path, said: Callable[..., str], words: list[str]) -> None:
    text = said(*[word.format(models, NAME) for word in words])
    assert text.strip()
    assert not raw(text), text


def test_what_a_hub_a_check_and_a_step_say(said: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = Finding(EVIL, EVIL, EVIL, Change.CHANGED, EVIL, [EVIL], [EVIL], [EVIL], [EVIL])
    monkeypatch.setattr(upstream, "changes_upstream", lambda *args, **kwargs: [found])
    checked = Verification({EVIL: EVIL}, problems=[EVIL], not_checked=[EVIL])
    monkeypatch.setattr(verify, "verify", lambda: checked)
    monkeypatch.setattr(demo, "demonstrate", lambda done: [done(demo.Step(EVIL, EVIL, True)), demo.Demo(EVIL)][1])
    for words in (["upstream"], ["upstream", "--markdown"], ["verify"], ["verify", "--json"], ["demo"]):
        text = said(*words)
        assert "red" in text
        assert not raw(text), text


def test_the_one_file_on_a_real_terminal(models: Path, tmp_path: Path) -> None:
    """Where something is set up that is not in this process."""
    pty = pytest.importorskip("pty")
    one_file.write_one_file(tmp_path / one_file.NAME)
    command = [sys.executable, "-I", "-S", str(tmp_path / one_file.NAME), "status", "--verbose", str(models)]
    environment = {**os.environ, "HOME": str(tmp_path), "TERM": "xterm"}
    master, terminal = pty.openpty()
    said = b""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment):
        os.close(terminal)
        with contextlib.suppress(OSError):  # Linux ends a terminal with EIO
            while block := os.read(master, 65536):
                said += block
    os.close(master)
    assert b"MODEL" in said
    assert b"Traceback" not in said
    assert not raw(said.decode("utf-8"))


def test_the_plugin(models: Path, tmp_path: Path) -> None:
    hostile = next(path for path in models.iterdir() if "title" in path.name)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", "-rA", "--rootdir", str(tmp_path)]
    command += [f"--kimi-model-dir={hostile}", f"--kimi-model={MODEL}", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    said = (done.stdout + done.stderr).decode("utf-8")
    assert "vocabulary" in said
    assert not raw(said), said
