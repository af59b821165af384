"""`status`: that what it says is true, for people, for machines, and for clusters."""

from __future__ import annotations

import io
import json
import os
import py_compile
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from layouts import write_layout
from sync_directories import FOLDER, MODEL, OVERLAY, broken, snapshot

from kimi_tokenizers import catalogue, sync
from kimi_tokenizers.commands import main
from kimi_tokenizers.errors import ReportError
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.evidence import exo_loading
from kimi_tokenizers.model_dirs import Model, find_models
from kimi_tokenizers.sync import reports

SLOW = b"from .tool_declaration_ts import encode_tools_to_typescript_style\n\n\nclass TikTokenTokenizer:\n    pass\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMI_TOKENIZERS_CACHE", str(tmp_path_factory.mktemp("cache")))


def examined(model_dir: Path, model_id: str = MODEL, overlay: Any = OVERLAY) -> sync.ModelStatus:
    return sync.examine(Model(model_id, model_dir, overlay))


def knowing(model_dir: Path, *names: str) -> Any:
    """The overlay, with these files of a directory as upstream's known ones."""
    known = {name: sha256((model_dir / name).read_bytes()).hexdigest() for name in names}
    upstream = OVERLAY.upstream._replace(sha256={**OVERLAY.upstream.sha256, **known})
    return OVERLAY._replace(upstream=upstream)


def with_slow_tokenizer(model_dir: Path) -> Path:
    """A directory with a slow tokenizer of somebody else's; upstream's own is not kept here."""
    write_layout(model_dir, "good")
    (model_dir / "tokenization_kimi.py").write_bytes(SLOW)
    (model_dir / "tool_declaration_ts.py").write_bytes(b"def encode_tools_to_typescript_style(tools): ...\n")
    return model_dir


# -- states ------------------------------------------------------------------------------------------------


def test_healthy_is_what_upstream_published(tmp_path: Path) -> None:
    model_dir = with_slow_tokenizer(tmp_path / FOLDER)
    overlay = knowing(model_dir, "tokenization_kimi.py", "tool_declaration_ts.py", "chat_template.jinja")
    result = examined(model_dir, overlay=overlay)
    assert (result.state, result.would_load, result.error) == ("healthy", True, None)
    assert result.files["tokenization_kimi.py"] == "upstream"
    assert result.fingerprints is not None


def test_python_of_which_no_hash_is_known_is_not_said_to_load(tmp_path: Path) -> None:
    instruct = catalogue.get("moonshotai/Kimi-K2-Instruct")
    model_dir = write_layout(tmp_path / "model", "good", instruct.line)
    (model_dir / "tokenization_kimi.py").write_bytes(SLOW)
    result = examined(model_dir, "moonshotai/Kimi-K2-Instruct", instruct)
    assert (result.state, result.would_load, result.fingerprints) == ("drifted", None, None)
    assert result.files["tokenization_kimi.py"] == "unknown"
    model = Model("moonshotai/Kimi-K2-Instruct", model_dir, instruct)
    advised = sync.advice(model, result)
    assert advised is not None
    assert advised.command[:2] == ("sync", "--all")  # without, it is passed over
    skipped = sync.sync_model(model).skipped
    assert skipped is not None
    assert "of which nothing is known; --all" in skipped


@pytest.mark.parametrize("name", ["tokenization_kimi.py", "tool_declaration_ts.py"])
def test_drifted_python_is_not_said_to_load(tmp_path: Path, name: str) -> None:
    model_dir = with_slow_tokenizer(tmp_path / FOLDER)
    overlay = knowing(model_dir, "tokenization_kimi.py", "tool_declaration_ts.py", "chat_template.jinja")
    (model_dir / name).write_bytes((model_dir / name).read_bytes() + b"# edited\n")
    result = examined(model_dir, overlay=overlay)
    assert (result.state, result.would_load, result.fingerprints) == ("drifted", None, None)
    assert result.files[name] == "unknown"
    assert name in result.detail


def test_a_drifted_template_loads_and_writes_other_prompts(tmp_path: Path) -> None:
    model_dir = with_slow_tokenizer(tmp_path / FOLDER)
    overlay = knowing(model_dir, "tokenization_kimi.py", "tool_declaration_ts.py", "chat_template.jinja")
    before = examined(model_dir, overlay=overlay)
    (model_dir / "chat_template.jinja").write_text("{{ messages }}")
    result = examined(model_dir, overlay=overlay)
    assert (result.state, result.would_load) == ("drifted", True)
    assert result.fingerprints is not None
    assert before.fingerprints is not None
    assert result.fingerprints["tokens"] == before.fingerprints["tokens"]
    assert result.fingerprints["prompts"] != before.fingerprints["prompts"]
    # a conversion may have a template of its own
    assert examined(model_dir, "mlx-community/Kimi-K2.6-4bit", overlay).state == "healthy"


def test_overlaid_and_back(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    assert examined(model_dir).state == "broken"
    sync.apply(sync.plan(OVERLAY, model_dir))
    result = examined(model_dir)
    assert (result.state, result.would_load, result.synced) == ("overlaid", True, True)
    assert set(result.files.values()) == {"ours"}
    sync.restore(model_dir)
    result = examined(model_dir)
    assert (result.state, result.would_load, result.synced) == ("broken", False, False)


def test_overlaid_by_another_version(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    file = OVERLAY.files["kimi_line.json"]._replace(name="kimi_line.json")
    table = catalogue.overlays()["kimi-k2-instruct"].files["kimi_line.json"]
    older = OVERLAY._replace(files={**OVERLAY.files, file.name: table})
    sync.apply(sync.plan(older, model_dir))
    result = examined(model_dir)
    assert (result.state, result.would_load, result.files["kimi_line.json"]) == ("overlaid", True, "older")
    assert "another version" in result.detail


def test_refused_by_the_guard(tmp_path: Path) -> None:
    result = examined(write_layout(tmp_path / FOLDER, "k3"))
    assert (result.state, result.would_load, result.fingerprints) == ("refused", False, None)
    assert "kimi_k3" in result.detail


def test_incomplete_says_what_the_download_would_run_into(tmp_path: Path) -> None:
    model_dir = write_layout(tmp_path / FOLDER, "partial")
    result = examined(model_dir)
    assert (result.state, result.tokenizer, result.complete, result.would_load) == (
        "incomplete",
        "broken",
        False,
        False,
    )
    assert result.error is not None
    assert result.error.startswith("File not found: …/resolve/main/tokenization_kimi.py")
    sync.apply(sync.plan(OVERLAY, model_dir))
    result = examined(model_dir)
    assert (result.state, result.tokenizer, result.error) == ("incomplete", "overlaid", None)
    assert examined(write_layout(tmp_path / "empty", "empty")).state == "incomplete"


# What is done to a directory that has been synced; exo must then show just what status says it would.
DAMAGES: dict[str, Callable[[Path], Any]] = {
    "no tokenizer": lambda path: (path / "tokenization_kimi.py").unlink(),
    "no declaration": lambda path: (path / "tool_declaration_ts.py").unlink(),
    "another declaration": lambda path: (path / "tool_declaration_ts.py").write_text("x = 1\n"),
    "another class": lambda path: (path / "tokenization_kimi.py").write_text("class Other:\n    pass\n"),
    "a slow one without its declaration": lambda path: [
        (path / "tokenization_kimi.py").write_bytes(SLOW),
        (path / "tool_declaration_ts.py").unlink(),
    ],
    "fast class": lambda path: (path / "tokenization_kimi.py").write_text(FAST_CLASS),
    "fast alias": lambda path: (path / "tokenization_kimi.py").write_text(FAST_ALIAS),
}
FAST_CLASS = """
class Fast:
    model = None

    @classmethod
    def from_pretrained(cls, path):
        return cls()


class TikTokenTokenizer(Fast):
    pass
"""
FAST_ALIAS = FAST_CLASS.replace("class TikTokenTokenizer(Fast):\n    pass\n", "TikTokenTokenizer = Fast\n")


@pytest.mark.parametrize("damage", DAMAGES)
def test_broken_says_what_exo_shows(tmp_path: Path, damage: str) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    DAMAGES[damage](model_dir)
    result = examined(model_dir)
    assert (result.state, result.would_load) == ("broken", False)
    assert result.error is not None
    with pytest.raises((ImportError, AttributeError, OSError)) as caught, exo_loading.isolated():
        exo_loading.load_like_exo(model_dir, wrap=False).encode("x")
    assert f"{caught.type.__name__}: {caught.value}".startswith(result.error)


def test_broken_python(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    (model_dir / "tokenization_kimi.py").write_text("class TikTokenTokenizer(\n")
    result = examined(model_dir)
    assert result.state == "broken"
    assert result.error is not None
    assert result.error.startswith("SyntaxError")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("tiktoken.model", None, "tiktoken.model is missing"),
        ("tiktoken.model", OVERLAY.read("tiktoken.model")[:1000], "tiktoken.model is cut off"),
        ("tokenizer_config.json", b"{", "tokenizer_config.json' is not JSON"),
        ("tokenization_kimi.py", b"\xff", "is not UTF-8 text"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes | None, what: str) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    (model_dir / name).unlink()
    if content is not None:
        (model_dir / name).write_bytes(content)
    result = examined(model_dir)
    assert (result.state, result.would_load, result.fingerprints) == ("broken", False, None)
    assert what in result.detail


def test_a_missing_line_file_matters_where_nothing_else_says_which_line_it_is(tmp_path: Path) -> None:
    instruct = catalogue.get("moonshotai/Kimi-K2-Instruct")
    model_dir = write_layout(tmp_path / "model", "good", instruct.line)
    assert examined(model_dir, "moonshotai/Kimi-K2-Instruct", instruct).state == "overlaid"
    (model_dir / "tokenizer_config.json").unlink()
    assert examined(model_dir, "moonshotai/Kimi-K2-Instruct", instruct).state == "broken"


@pytest.mark.parametrize("name", ["tokenization_kimi.py", "tiktoken.model", "config.json"])
def test_no_file_in_the_place_of_one(tmp_path: Path, name: str) -> None:
    model_dir = broken(tmp_path)
    (model_dir / name).unlink(missing_ok=True)
    os.mkfifo(model_dir / name)
    result = examined(model_dir)
    assert (result.state, result.would_load) == ("broken", False)
    assert name in result.detail


def test_what_exo_would_import_is_named_and_the_overlay_is_no_all_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    (model_dir / "modeling_deepseek.py").write_text("")
    assert examined(model_dir).state == "overlaid"
    (model_dir / "tiktoken.py").write_text("raise SystemExit('it ran')")
    (model_dir / "json").mkdir()
    (model_dir / "json" / "__init__.py").write_text("raise SystemExit('it ran')")
    result = examined(model_dir)
    assert (result.state, result.would_load, result.fingerprints) == ("drifted", None, None)
    assert (result.files["tiktoken.py"], result.files["json/"]) == ("unknown", "unknown")
    assert "it would run json/, tiktoken.py from it" in result.detail
    assert "`view` or `resolve`" in result.detail
    assert main(["status", str(tmp_path)]) == 1
    assert f"Next:\n  kimi-tokenizers explain {tmp_path} --model {MODEL}\n" in capsys.readouterr().out
    assert main(["explain", str(tmp_path)]) == 1
    assert "exo imports it from here before any other" in " ".join(capsys.readouterr().out.split())
    for command in (["sync"], ["sync", "--all"], ["sync", "--dry-run"]):
        assert main([*command, str(tmp_path)]) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert f"{MODEL}: exo imports from this directory first, so it would run json/, tiktoken.py from it" in said
    assert main(["sync", "--json", str(tmp_path)]) == 1
    [model] = json.loads(capsys.readouterr().out)["models"]
    assert (model["problem"], "tiktoken.py" in model["warning"]) == (None, True)


def test_upstreams_own_files_with_a_module_beside_them(tmp_path: Path) -> None:
    model_dir = with_slow_tokenizer(tmp_path / FOLDER)
    overlay = knowing(model_dir, "tokenization_kimi.py", "tool_declaration_ts.py", "chat_template.jinja")
    (model_dir / "tiktoken.so").write_bytes(b"")
    model = Model(MODEL, model_dir, overlay)
    status = sync.examine(model)
    assert (status.state, status.would_load) == ("drifted", None)
    assert "tiktoken.so" in (sync.sync_model(model).warning or "")
    advised = sync.advice(model, status)
    assert advised is not None
    assert advised.command[0] == "explain"  # `sync` passes over what is healthy but for that


BOMBS = {
    "a deep expression": b"x = a" + b".b" * 100_000,
    "endless statements": b"x\n" * 2_000_000,
    "more than any tokenizer file": b"#" * (17 << 20),
}


@pytest.mark.parametrize("what", BOMBS)
def test_one_models_trouble_is_its_row(tmp_path: Path, what: str) -> None:
    other = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, other))
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K2.5", "good", "kimi-k2.5")
    (model_dir / "tokenization_kimi.py").write_bytes(BOMBS[what])
    bad, good = sync.status_report(find_models([tmp_path]))["models"]
    assert (good["state"], good["would_load"]) == ("overlaid", True)
    assert bad["state"] in ("drifted", "broken")
    assert bad["would_load"] is not True
    assert "tokenization_kimi.py" in bad["detail"]
    assert "not examined" in bad["detail"] or "more than" in bad["detail"]


def test_weights_that_were_not_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_dir = write_layout(tmp_path / FOLDER, "good")
    with (model_dir / "other.safetensors.index.json").open("wb") as file:
        file.truncate(1 << 30)
    result = examined(model_dir)
    assert (result.state, result.tokenizer, result.would_load, result.complete) == (
        "incomplete",
        "overlaid",
        None,
        False,
    )
    assert "has more than 67,108,864 bytes" in result.detail
    advised = sync.advice(Model(MODEL, model_dir, OVERLAY), result)
    assert advised is not None
    assert "not known" in advised.what


@pytest.mark.parametrize("target", ["/dev/zero", "fifo"])
def test_an_index_that_never_ends_is_none(tmp_path: Path, target: str) -> None:
    model_dir = write_layout(tmp_path / FOLDER, "good")
    os.mkfifo(tmp_path / "fifo")
    (model_dir / "other.safetensors.index.json").symlink_to(tmp_path / target)
    assert examined(model_dir).state == "incomplete"


def test_no_directory_with_the_name_of_a_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FOLDER)
    [model] = sync.status_report(find_models([tmp_path]))["models"]
    assert model["state"] == "broken"
    assert "is a FIFO" in model["detail"]


def test_a_damaged_journal_does_not_hide_what_is_there(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    (model_dir / ".kimi-tokenizers" / "journal.json").write_text("{")
    result = examined(model_dir)
    assert (result.state, result.would_load, result.synced) == ("drifted", True, False)
    assert "`sync` refuses this directory" in result.detail
    assert "the overlay's files are in place" in result.detail


# -- for people and machines -------------------------------------------------------------------------------


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def test_a_row_for_each_model_details_below_it_and_colours_only_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(tmp_path)
    write_layout(tmp_path / "moonshotai--Kimi-K2.5", "good", "kimi-k2.5")
    before = snapshot(tmp_path)
    assert main(["status", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    heading, *rows = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert heading.split() == ["MODEL", "STATE", "TOKENS", "PROMPTS"]
    assert rows[0].startswith("moonshotai/Kimi-K2.5  overlaid  ")
    assert rows[1].startswith("moonshotai/Kimi-K2.6  broken  ")
    assert "tokenization_kimi.py and tiktoken.model are missing; exo: FileNotFoundError" in said
    assert said.endswith(f"Next:\n  kimi-tokenizers sync {tmp_path} --model {MODEL}\n")
    assert snapshot(tmp_path) == before
    for variables, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        with monkeypatch.context() as patch:
            patch.delenv("NO_COLOR", raising=False)
            patch.setenv("TERM", "xterm")
            for name, value in variables.items():
                patch.setenv(name, value)
            terminal = Terminal()
            patch.setattr("sys.stdout", terminal)
            main(["status", str(tmp_path)])
        assert ("\x1b[31mbroken" in terminal.getvalue()) == coloured
        assert ("\x1b" in terminal.getvalue()) == coloured


def test_exit_status_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = broken(tmp_path)
    assert main(["status", "--json", str(tmp_path)]) == 1
    value = json.loads(capsys.readouterr().out)
    assert list(value)[:2] == ["schema", "ok"]
    assert set(value) == {"schema", "version", "node", "ok", "problems", "places", "models"}
    assert (value["schema"], value["ok"], value["problems"]) == (1, False, [])
    [model] = value["models"]
    assert set(model) == {
        "model", "line", "path", "state", "tokenizer", "would_load", "complete", "synced", "detail", "error", "files",
        "fingerprints", "next",
    }  # fmt: skip
    assert set(model) | set(value) <= set(reports.__doc__.replace('"', " ").replace(":", " ").split())  # type: ignore[union-attr]
    assert (model["model"], model["state"], model["fingerprints"]) == (MODEL, "broken", None)
    assert model["next"] == f"kimi-tokenizers sync {tmp_path} --model {MODEL}"
    assert value["places"] == [
        {"path": str(tmp_path), "source": "given on the command line", "models": 1, "problem": None}
    ]
    sync.apply(sync.plan(OVERLAY, model_dir))
    assert main(["status", "--json", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["status", "--json", str(tmp_path), str(tmp_path / "missing")]) == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert str(tmp_path / "missing") in problem


ROW = re.compile(r"[^ ]+ +(healthy|overlaid|broken|drifted|refused|incomplete) +[0-9a-f-]{1,12} +[0-9a-f-]{1,12}")


def test_it_fits_80_columns_whatever_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_layout(Path("m", "moonshotai--Kimi-K2.6-" + "x" * 80), "good")
    write_layout(Path("m", FOLDER), "k3")
    write_layout(Path("m", "a--Kimi-K2.5"), "partial", "kimi-k2.5")
    main(["status", "m"])
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line and not line.startswith(("MODEL", " ", "Next"))]
    assert len(rows) == 3
    assert all(len(line) <= 80 and ROW.fullmatch(line) for line in rows)
    too_long = [line for line in lines if len(line) > 80]
    assert all(" " not in line.strip() or "kimi-tokenizers" in line for line in too_long)  # a path, or a command
    main(["status", "m", "--verbose"])
    said = capsys.readouterr().out
    assert "Kimi-K2.6-" + "x" * 80 + "  " in said
    assert re.search(r"  tokens +[0-9a-f]{64}$", said, re.MULTILINE)
    assert re.search(r"  kimi_line.json +missing$", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("layout", "command"),
    [
        ("broken", "sync"),
        ("empty", "sync"),
        ("partial", "sync"),
        ("k3", "explain"),  # no command mends it
    ],
)
def test_the_next_command_is_one_that_helps(tmp_path: Path, layout: str, command: str) -> None:
    write_layout(tmp_path / "models" / FOLDER, layout)
    [model] = find_models([tmp_path / "models"]).models
    advised = sync.advice(model, sync.examine(model))
    assert advised is not None
    assert advised.command[0] == command
    if command == "sync":
        assert main(list(advised.command)) == 0
        assert sync.examine(model).tokenizer == "overlaid"
    advised = sync.advice(model, sync.examine(model))
    if layout == "broken":
        assert advised is None
    else:
        assert advised is not None
        assert advised.what


def test_what_cannot_be_printed_is_escaped() -> None:
    assert escaped("a\nb\x1b[31m\udcff é") == "a\\nb\\x1b[31m\\udcff é"


# -- clusters ------------------------------------------------------------------------------------------------


def save(folder: Path, node: str, value: Any) -> str:
    path = folder / f"{node}.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def test_nodes_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_dir = broken(tmp_path / "models")
    bad = sync.status_report(find_models([tmp_path / "models"]))
    sync.apply(sync.plan(OVERLAY, model_dir))
    good = sync.status_report(find_models([tmp_path / "models"]))
    (model_dir / "chat_template.jinja").write_text("{{ messages }}")
    other = sync.status_report(find_models([tmp_path / "models"]))
    shutil.rmtree(model_dir)
    none = sync.status_report(find_models([tmp_path / "models"]))
    a, b, c, d, e = (
        save(tmp_path, node, value) for node, value in zip("abcde", (good, good, other, bad, none), strict=True)
    )
    assert main(["status", "--compare", a, b]) == 0
    assert capsys.readouterr().out == "All equal: 2 nodes, 1 model.\n"
    assert main(["status", "--compare", a, b, c]) == 1
    said = capsys.readouterr().out
    assert "moonshotai/Kimi-K2.6: the nodes differ in prompt text" in said
    assert f"{good['models'][0]['fingerprints']['prompts'][:16]}: a, b" in said
    assert "token ids" not in said
    assert main(["status", "--compare", a, d, e]) == 1
    said = capsys.readouterr().out
    for line in ("  broken: d", "  loads: a", "  not there: e", "d: not every model would load"):
        assert line in said.splitlines()
    assert said.endswith("Next, on each of these nodes:\n  kimi-tokenizers sync\n")
    assert main(["status", "--compare", "--json", a, d]) == 1
    value = json.loads(capsys.readouterr().out)
    assert (value["nodes"], value["not_loading"], value["ok"]) == (["a", "d"], ["d"], False)
    assert value["differences"] == [{"model": MODEL, "what": "state", "values": {"loads": ["a"], "broken": ["d"]}}]


def test_all_equal_needs_two_nodes_with_a_model_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layout(tmp_path / "models" / FOLDER, "good")
    (tmp_path / "none").mkdir()
    good = sync.status_report(find_models([tmp_path / "models"]))
    none = sync.status_report(find_models([tmp_path / "none"]))
    unsearched = {**good, "ok": False, "problems": ["The models dir '/x' cannot be read."]}
    a, b, c, d, e = (
        save(tmp_path, node, value) for node, value in zip("abcde", (good, good, none, none, unsearched), strict=True)
    )
    assert main(["status", "--compare", a, b]) == 0
    assert "note: a and b both come from a machine called" in capsys.readouterr().err
    for files, reason in (
        ([a], "at least two nodes, and there is 1"),
        ([a, a], "at least two nodes, and there is 1"),
        ([c, d], "The report of c has no models"),
        ([a, c], "The report of c has no models"),
        ([a, e], "e: The models dir '/x' cannot be read."),
    ):
        assert main(["status", "--compare", *files]) == 1
        said = capsys.readouterr()
        assert "All equal" not in said.out
        assert reason in said.err
        assert main(["status", "--compare", "--json", *files]) == 1
        value = json.loads(capsys.readouterr().out)
        assert value["ok"] is False
        assert any(reason in problem for problem in value["problems"])


def test_a_report_that_claims_to_load_shows_its_fingerprints(tmp_path: Path) -> None:
    write_layout(tmp_path / "models" / FOLDER, "good")
    report = sync.status_report(find_models([tmp_path / "models"]))
    for change in (
        {"fingerprints": None},
        {"fingerprints": {"tokens": "", "prompts": "x"}},
        {"fingerprints": {"tokens": "x"}},
        {"would_load": "yes"},
        {"state": None},
        {"model": 7},
    ):
        changed = {**report, "models": [{**report["models"][0], **change}]}
        with pytest.raises(ReportError, match="damaged"):
            sync.read_report(save(tmp_path, "node", changed))


@pytest.mark.parametrize(
    "value",
    ["", "[]", "{}", '{"schema": 2}', '{"schema": 1}', '{"schema": 1, "models": [{}]}', '{"schema": 1, "models": 3}'],
)
def test_what_is_no_report_cannot_be_compared(tmp_path: Path, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = save(tmp_path, "node", value)
    with pytest.raises(ReportError, match="Save") as caught:
        sync.read_report(file)
    assert file in str(caught.value)
    with pytest.raises(ReportError, match="No such file"):
        sync.read_report(tmp_path / "missing")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "endless").symlink_to("/dev/zero")
    with (tmp_path / "huge").open("wb") as file_:
        file_.truncate(1 << 40)
    for name in ("fifo", "endless", "huge"):
        with pytest.raises(ReportError, match="no regular file, or has more than 16 MB"):
            sync.read_report(tmp_path / name)
    for deep in ("[" * 100_000, '{"schema": ' + "9" * 100_000 + "}"):
        with pytest.raises(ReportError, match="is not JSON"):
            sync.read_report(save(tmp_path, "deep", deep))
    for path in (file, str(tmp_path / "missing")):
        assert main(["status", "--compare", path]) == 1
        assert path in capsys.readouterr().err


# -- bytecode -------------------------------------------------------------------------------------


def left_by_another_python(cache: Path, model_dir: Path) -> str:
    """What exo leaves when it runs from source, by a version of Python that is not this one."""
    name = "tool_declaration_ts.cpython-399.pyc"
    py_compile.compile(str(model_dir / "tool_declaration_ts.py"), str(cache / name), doraise=True)
    return f"__pycache__/{name}"


def test_bytecode_that_another_python_left_is_said_to_be_unexamined_and_sync_removes_it(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    model = Model(MODEL, model_dir, OVERLAY)
    sync.apply(sync.plan(OVERLAY, model_dir))
    before = snapshot(model_dir)
    name = left_by_another_python(model_dir / "__pycache__", model_dir)
    result = examined(model_dir)
    assert (result.state, result.would_load, result.fingerprints) == ("drifted", None, None)
    assert result.files[name] == "unknown"
    for said in (name, "another version of Python made it", "remove it, which is safe", "files are in place"):
        assert said in result.detail
    advised = sync.advice(model, result)
    assert advised is not None
    assert advised.command[0] == "sync"
    for dry_run in (True, False):
        assert (model_dir / name).exists()
        outcome = sync.sync_model(model, dry_run=dry_run)
        assert outcome.plan is not None
        assert [(change.name, change.action) for change in outcome.plan.writes] == [(name, "remove")]
        assert (outcome.warning is not None) == dry_run
    (model_dir / "__pycache__").rmdir()
    assert snapshot(model_dir) == before
    assert examined(model_dir).would_load


def test_bytecode_that_cannot_be_removed_is_not_reported_as_removed(tmp_path: Path) -> None:
    """A link to a folder elsewhere: Python follows it, `sync` does not."""
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    (tmp_path / "elsewhere").mkdir()
    name = left_by_another_python(tmp_path / "elsewhere", model_dir)
    (model_dir / "__pycache__").symlink_to(tmp_path / "elsewhere")
    before = snapshot(tmp_path)
    outcome = sync.sync_model(Model(MODEL, model_dir, OVERLAY))
    assert outcome.plan is not None
    assert not outcome.plan.writes
    assert name in (outcome.warning or "")
    assert snapshot(tmp_path) == before


def test_poisoned_bytecode_is_named_and_left_to_whoever_wants_to_look_at_it(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    name = left_by_another_python(model_dir / "__pycache__", model_dir)
    poisoned = (model_dir / name).with_name("tokenization_kimi.cpython-399.pyc")
    data = (model_dir / name).read_bytes()
    poisoned.write_bytes(data[:4] + (1).to_bytes(4, "little") + data[8:])  # used whatever the source says
    result = examined(model_dir)
    assert (result.state, result.would_load) == ("drifted", None)
    assert f"would run __pycache__/{poisoned.name} from it" in result.detail
    outcome = sync.sync_model(Model(MODEL, model_dir, OVERLAY))
    assert (poisoned.exists(), (model_dir / name).exists()) == (True, False)
    assert poisoned.name in (outcome.warning or "")


# -- configurations that exo's steps would choke on -----------------------------------------------


def test_a_line_that_is_none_of_ours_is_not_overlaid(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    (model_dir / "kimi_line.json").write_text('{"line": "bogus"}')
    result = examined(model_dir)
    assert (result.state, result.would_load, result.fingerprints) == ("drifted", None, None)
    assert "kimi_line.json is none of ours" in result.detail


def test_a_byte_order_mark_where_exo_executes_our_python_itself(tmp_path: Path) -> None:
    model_dir = broken(tmp_path)
    sync.apply(sync.plan(OVERLAY, model_dir))
    path = model_dir / "tokenizer_config.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert (examined(model_dir).state, examined(model_dir).would_load) == ("overlaid", True)


@pytest.mark.parametrize("change", ["a byte order mark", "another class", "no class"])
def test_a_configuration_that_transformers_reads_before_our_class(change: str, tmp_path: Path) -> None:
    overlay = catalogue.get("moonshotai/Kimi-K3")
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K3", "good", "kimi-k3")
    sync.apply(sync.plan(overlay, model_dir))
    assert examined(model_dir, "moonshotai/Kimi-K3", overlay).state == "overlaid"
    path = model_dir / "tokenizer_config.json"
    config = json.loads(path.read_bytes())
    config["auto_map"] = {"AutoTokenizer": ["tokenization_kimi.TikTokenTokenizer", "evil.Fast"]}
    if change == "no class":
        del config["auto_map"]
    text = path.read_bytes() if change == "a byte order mark" else json.dumps(config).encode()
    path.write_bytes(b"\xef\xbb\xbf" * (change == "a byte order mark") + text)
    result = examined(model_dir, "moonshotai/Kimi-K3", overlay)
    assert (result.state, result.would_load) == ("broken", False)
    assert "tokenizer_config.json" in result.detail
    sync.apply(sync.plan(overlay, model_dir))
    assert examined(model_dir, "moonshotai/Kimi-K3", overlay).state == "overlaid"
