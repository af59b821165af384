"""The command line, in real processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from layouts import write_layout

import kimi_tokenizers
from kimi_tokenizers.catalogue import LINES
from kimi_tokenizers.commands import arguments, main, status
from kimi_tokenizers.commands.tables import table
from kimi_tokenizers.tokenizer import DEFAULT_MODEL, every_known_answer

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "sync_overlays.py"

command_and_script = pytest.mark.parametrize("script", [False, True])


def run(
    *arguments: str, stdin: str | bytes = b"", home: Path = ROOT, script: bool = False, columns: int = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command out of the checkout at `home`; with `script`, the operators' script."""
    done = subprocess.run(
        [sys.executable, *([str(SCRIPT)] if script else ["-m", "kimi_tokenizers"]), *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(home), "COLUMNS": str(columns)},
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
    assert report["answers"] > 2 * len(every_known_answer())
    assert report["versions"]["kimi-tokenizers"] == kimi_tokenizers.__version__
    assert set(report["versions"]) >= {"python", "tiktoken", "transformers"}
    assert set(report["fingerprints"]) == set(LINES)


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
    answers = tmp_path / "kimi_tokenizers" / "tokenizer" / "known_answers.jsonl"
    answers.write_text(answers.read_text().replace("[19180,11,2695,0]", "[19180,11,2695,1]", 1))
    done = run("verify", home=tmp_path)
    assert done.returncode == 1
    assert "'Hello, world!' encodes to [19180, 11, 2695, 0]" in done.stdout


def test_count_standard_input() -> None:
    assert run("count", stdin="Hello, world!").stdout.split() == ["4", "-"]
    assert run("count", "-", "--json", stdin="世界<|im_end|>\n").stdout
    report = json.loads(run("count", "-", "--json", stdin="世界<|im_end|>\n").stdout)
    assert report["files"] == [{"path": "-", "tokens": 3, "characters": 13, "bytes": 17}]
    assert (report["model"], report["tokens"]) == (DEFAULT_MODEL, 3)


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
    done = run("count", "--model", "moonshotai/Kimi-K3.1-Pro", stdin="x")
    assert done.returncode == 1
    assert done.stderr.startswith("kimi-tokenizers: No overlay serves 'moonshotai/Kimi-K3.1-Pro'")
    assert "Traceback" not in done.stderr
    assert run("count", "--no-such-option").returncode == 2
    assert run("no-such-command").returncode == 2
    for option in ("-V", "--version"):
        assert run(option).stdout == f"kimi-tokenizers {kimi_tokenizers.__version__}\n"


# -- one declaration ---------------------------------------------------------------------------------------

COMMANDS = tuple(arguments.COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: kimi-tokenizers {command} ")
    assert "--json" in done.stdout or command == "completion"
    assert "Exit status: 0 " in " ".join(done.stdout.split())
    assert run(command, "-h").stdout == done.stdout


def test_help_says_the_exit_statuses() -> None:
    for command in ([], ["status"], ["sync"], ["restore"]):
        text = " ".join(run(*command, "--help").stdout.split())
        assert "Exit status: 0 fine, 1 something is wrong with what was examined, 2 wrong usage." in text
    text = " ".join(run("upstream", "--help").stdout.split())
    assert "Exit status: 0 unchanged; 10 changed" in text
    assert "16 its answer is not to be trusted; 1 an id that no overlay serves; 2 wrong usage." in text


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_script_and_the_command_take_the_same_and_say_the_same(command: str) -> None:
    wide = 1000  # the programs' names have different lengths, and lines would break elsewhere
    by_command = run(*command.split(), "--help", columns=wide)
    by_script = run(*command.split(), "--help", columns=wide, script=True)
    assert (by_command.returncode, by_script.returncode) == (0, 0)
    assert by_script.stdout == by_command.stdout.replace("usage: kimi-tokenizers ", "usage: sync_overlays.py ")
    if not command:
        assert tuple(re.findall(r"^    (\w+) ", by_command.stdout, re.MULTILINE)) == COMMANDS


def test_the_installed_command_is_main() -> None:
    [command] = [entry for entry in entry_points(group="console_scripts") if entry.name == "kimi-tokenizers"]
    assert command.load() is main


@command_and_script
@pytest.mark.parametrize(
    "wrong",
    [
        "no-such-command",
        "--no-such-option",
        "count --no-such-option",
        "count --js",  # an abbreviation
        "sync --model",
        "status --compare",
        "sync --watch --json",
        "sync --watch --dry-run",
        "restore --dry-run",
        "view",
        "view somewhere --remove --model moonshotai/Kimi-K2.6",
        "parity",
        "parity tiktoken --samples -1",
        "parity tiktoken --samples many",
    ],
)
def test_wrong_usage_exits_with_2_and_shows_the_usage_on_standard_error(wrong: str, script: bool) -> None:
    done = run(*wrong.split(), script=script)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")
    assert "error: " in done.stderr


@command_and_script
def test_without_arguments_there_is_help(script: bool) -> None:
    done = run(script=script)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run("--help", script=script).stdout


def test_options_may_stand_anywhere(tmp_path: Path) -> None:
    given = arguments.parse(["sync", "a", "--no-lock", "b", "--model", "x/y", "c", "--model", "z/w"], "prog")
    assert (given.paths, given.model, given.lock) == (["a", "b", "c"], ["x/y", "z/w"], False)
    assert arguments.parse(["sync"], "prog").lock is None
    given = arguments.parse(["count", "--plain", "--", "--odd", "b"], "prog")
    assert (given.command, given.files, given.plain) == ("count", ["--odd", "b"], True)


def test_the_default_model_is_the_packages() -> None:
    assert arguments.MODEL == DEFAULT_MODEL
    assert arguments.parse(["count"], "prog").model == DEFAULT_MODEL


HEAVY = {"transformers", "tiktoken", "tokenizers", "rich", "jinja2", "typer", "click", "huggingface_hub", "numpy"}


def imported_by(code: str, *arguments: str) -> set[str]:
    """What is heavy and imported when code has run in a process of its own."""
    code += f"\nimport sys\nprint(*({HEAVY!r} & {{*sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_parsing_imports_nothing_heavy() -> None:
    code = "from kimi_tokenizers.commands import arguments\n"
    for command in ("['parity', 'tiktoken']", "['count']", "['demo']", "['view', 'x']"):
        code += f"arguments.parse({command}, 'prog')\n"
    code += "import sys\nassert not [n for n in sys.modules if n.startswith('kimi_tokenizers.tokenizer')]"
    assert imported_by(code) == set()


def test_what_operators_use_imports_nothing_heavy(tmp_path: Path) -> None:
    write_layout(tmp_path / "models" / "moonshotai--Kimi-K2.6", "broken")
    code = (
        "import sys\nfrom kimi_tokenizers.commands import main\nmodels, view = sys.argv[1:]\n"
        "assert main(['status', models]) == 1\n"
        "assert main(['view', view, '--from', models]) == 0\n"
        "assert main(['sync', models]) == 0\n"
        "assert main(['restore', models]) == 0\n"
    )
    assert imported_by(code, str(tmp_path / "models"), str(tmp_path / "view")) == set()


@pytest.mark.parametrize(
    "code",
    [
        "import kimi_tokenizers as kt\nassert kt.encoding().encode('hi') == [9663]",
        "import tiktoken\nassert tiktoken.get_encoding('kimi_k2_5').encode('hi') == [9663]",
        "from kimi_tokenizers.commands import main\nassert main(['count', 'LICENSE']) == 0",
    ],
)
def test_what_needs_no_tokenizer_imports_only_tiktoken(code: str) -> None:
    assert imported_by(code) == {"tiktoken"}


@pytest.mark.parametrize(
    ("command", "package"),
    [("demo", "transformers"), ("count", "tiktoken"), ("parity tiktoken", "rich"), ("upstream", "huggingface_hub")],
)
def test_the_script_says_which_package_is_missing(command: str, package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *command.split()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"kimi-tokenizers: this command needs the package {package}, which is not installed.")
    assert "With Python 3.10 or newer, install kimi-tokenizers as its README says" in line
    assert "uv run kimi-tokenizers" in line


@pytest.mark.parametrize("arguments", [["--help"], ["status", "."], ["count", "README.md", "--json"]])
def test_a_reader_who_has_gone_is_no_error_to_trace(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kimi_tokenizers", *arguments],
            stdout=write,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full disk to write to")
@pytest.mark.parametrize("unbuffered", [[], ["-u"]])
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["sync", "--help"], ["--version"], ["status", "."], ["count", str(ROOT / "README.md")], ["verify"]],
)
def test_a_full_disk_is_an_error_and_no_trace(arguments: list[str], unbuffered: list[str], tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, *unbuffered, "-m", "kimi_tokenizers", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            check=False,
        )
    assert done.returncode == 1
    line = done.stderr.decode().splitlines()[-1]
    assert line.startswith("kimi-tokenizers: the output cannot be written: No space left on device.")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["status", "."]])
def test_a_closed_standard_output_is_an_error_and_no_trace(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "kimi_tokenizers", *arguments]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines() == [
        "kimi-tokenizers: standard output is closed. Open it, or send it to a file."
    ]


def test_control_c_ends_a_command_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "run", interrupted)
    assert main(["status"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_in_this_package_is_not_taken_for_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_arguments: object) -> int:
        from kimi_tokenizers import no_such_module  # type: ignore[attr-defined]  # noqa: F401

        return 0

    monkeypatch.setattr(status, "run", broken)
    with pytest.raises(ImportError, match="no_such_module"):
        main(["status"])


# -- tables ------------------------------------------------------------------------------------------------


def test_columns_stay_aligned_whatever_is_in_a_cell() -> None:
    rows = [("ok", "世界", "a\nb"), ("ok", "e\u0301", "\x1b[31mred"), ("FAILED", "abcdef", "")]
    assert table(rows, ("", "text", "what"), verdicts=[0]) == [
        "        text    what",
        "ok      世界    a\\nb",
        "ok      e\u0301       \\x1b[31mred",
        "FAILED  abcdef",
    ]


# -- view --------------------------------------------------------------------------------------------------


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
