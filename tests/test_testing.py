"""`kimi_tokenizers.testing` and the pytest plugin: right tokenizers pass, wrong ones fail with a reason."""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiktoken
from hostile.directories import ENDLESS_TEMPLATE
from layouts import fast_tokenizer_json, write_layout
from sync_directories import snapshot
from transformers import PreTrainedTokenizerFast

import kimi_tokenizers as kt
from kimi_tokenizers import testing
from kimi_tokenizers.testing import CheckError

ROOT = Path(__file__).resolve().parent.parent
KIMI = "moonshotai/Kimi-K2.6"


# Known answers


def test_enough_known_answers_ship_and_each_is_what_a_plain_encoding_gives(plain: tiktoken.Encoding) -> None:
    answers = testing.known_answers()
    assert len(testing.KNOWN_ANSWERS) >= 300
    assert len(answers) >= 300
    assert len({(answer.control, answer.text) for answer in answers}) > 300
    for answer in answers:
        if answer.control:
            assert plain.encode(answer.text, allowed_special="all") == list(answer.ids)
        else:
            assert plain.encode_ordinary(answer.text) == list(answer.ids)
        assert plain.decode(list(answer.ids)) == answer.text


def test_the_known_answers_are_what_their_script_writes() -> None:
    script = ROOT / "scripts" / "make_known_answers.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["answers"] == len(testing.KNOWN_ANSWERS)


@pytest.mark.parametrize("line", ["kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6"])
def test_every_line_passes_its_own_checks(lines: dict[str, Any], line: str) -> None:
    testing.check_tokenizer(lines[line], line)


def test_the_wrong_line_fails(lines: dict[str, Any]) -> None:
    with pytest.raises(CheckError, match="known answers of kimi"):
        testing.check_tokenizer(lines["kimi-k2-instruct"], "kimi-k2.6")


# Plain functions on encoders of any kind


def test_an_encoder_that_is_right_passes(plain: tiktoken.Encoding) -> None:
    testing.check_encoding(lambda text: plain.encode(text, allowed_special="all"))
    testing.check_encoding(plain.encode_ordinary, control=False)
    testing.check_decoding(plain.decode)


def test_an_encoder_that_is_wrong_fails(plain: tiktoken.Encoding) -> None:
    with pytest.raises(CheckError, match=r"The first: .* encodes to \[.*\], expected \["):
        testing.check_encoding(plain.encode_ordinary)
    with pytest.raises(AssertionError):
        testing.check_encoding(lambda text: [*plain.encode_ordinary(text), 163585], control=False)
    with pytest.raises(CheckError, match="decodes to"):
        testing.check_decoding(lambda ids: plain.decode(ids).strip())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encode": lambda text, **_: tuple(kt.load().encode(text))}, "expected a list of ints"),
        ({"decode": lambda ids: " " + kt.load().decode(ids)}, "comes back from encode and decode as"),
        ({"vocab_size": 163584}, "vocab_size is 163584"),
        ({"get_vocab": dict}, "is id None in get_vocab"),
        ({"convert_tokens_to_ids": lambda name: 0}, "in convert_tokens_to_ids"),
        ({"eos_token": "<|im_end|>"}, r"eos_token is '<\|im_end\|>'"),
        ({"all_special_tokens": []}, "all_special_tokens"),
    ],
)
def test_each_rule_of_exo_can_be_broken(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(kt, "load", lambda: tokenizer)
    with pytest.raises(CheckError, match=message):
        testing.check_exo_rules(Changed(tokenizer, change))


class Changed:
    """A tokenizer that differs in some attributes."""

    def __init__(self, tokenizer: Any, change: dict[str, Any]) -> None:
        self._tokenizer, self._change = tokenizer, SimpleNamespace(**change)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._change, name) if hasattr(self._change, name) else getattr(self._tokenizer, name)

    def __len__(self) -> int:
        return len(self._tokenizer)


def test_a_tokenizer_without_model_is_told_of_adapt() -> None:
    fast: Any = PreTrainedTokenizerFast(
        tokenizer_file=str(fast_tokenizer_json()),
        bos_token="[BOS]",
        eos_token="[EOS]",
        clean_up_tokenization_spaces=False,
    )
    with pytest.raises(CheckError, match=r"kimi_tokenizers\.adapt"):
        testing.check_tokenizer(fast)
    kt.adapt(fast)
    testing.check_encoding(lambda text: fast.model.encode(text, allowed_special="all"))


# Model directories


def named(folder: Path) -> Path:
    return folder / "moonshotai--Kimi-K2.6"


def test_a_resolved_directory_passes(tmp_path: Path) -> None:
    front = kt.resolve(KIMI, write_layout(named(tmp_path), "broken"))
    with pytest.warns(testing.NotCheckedWarning, match="whether the weights"):  # there are none in it
        testing.check_model_dir(front, KIMI)


def test_foreign_python_is_only_run_when_trusted(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "good")
    ran = tmp_path / "ran"
    (path / "tokenization_kimi.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    checks = testing.checks_of_model_dir(path)
    assert list(checks) == ["vocabulary", "overlay", "data", "exo"]
    for name in ("vocabulary", "overlay", "data"):
        checks[name]()
    with pytest.raises(CheckError, match="no attribute 'TikTokenTokenizer'"):  # which reading it shows
        checks["exo"]()
    assert not ran.exists()
    before = snapshot(path)
    with pytest.raises(CheckError, match="no attribute 'TikTokenTokenizer'"):
        testing.checks_of_model_dir(path, trust_remote_code=True)["exo"]()
    assert ran.exists()
    assert snapshot(path) == before  # the steps are taken on a copy
    assert "tokenization_kimi" not in sys.modules


def module(path: Path) -> None:
    (path / "tiktoken.py").write_text(HOSTILE)


def package(path: Path) -> None:
    (path / "json").mkdir()
    (path / "json" / "__init__.py").write_text(HOSTILE)


def link(path: Path) -> None:
    package(path.parent)
    (path / "tiktoken").symlink_to(path.parent / "json")


def plugin(path: Path) -> None:
    (path / "tiktoken_ext").mkdir()
    (path / "tiktoken_ext" / "mine.py").write_text(HOSTILE)


def bytecode(path: Path) -> None:
    (path / "other").write_text(HOSTILE)
    compiled = importlib.util.cache_from_source(str(path / "tool_declaration_ts.py"))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(path / "other"), compiled, doraise=True, invalidation_mode=mode)
    (path / "other").unlink()


HOSTILE = "import os; open(os.environ['KIMI_TEST_RAN'], 'w').close()\n"


@pytest.mark.parametrize("put", [module, package, link, plugin, bytecode])
def test_what_exo_would_import_besides_fails_and_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("KIMI_TEST_RAN", str(tmp_path / "ran"))
    path = write_layout(named(tmp_path), "good")
    put(path)
    monkeypatch.chdir(path)  # from where `python -c` imports first
    for name, check in testing.checks_of_model_dir(path).items():
        if name != "exo":
            check()
            continue
        with pytest.raises(CheckError, match="exo imports from this directory first, so it would run"):
            check()
    assert not (tmp_path / "ran").exists()
    if put is module:  # what is trusted runs, and what was not taken along is said
        with pytest.raises(CheckError, match="tiktoken"):
            testing.checks_of_model_dir(path, trust_remote_code=True)["exo"]()
        assert (tmp_path / "ran").exists()
    elif put is bytecode:
        with pytest.warns(testing.NotCheckedWarning, match="were not taken along"):
            testing.checks_of_model_dir(path, trust_remote_code=True)["exo"]()
        assert not (tmp_path / "ran").exists()


def test_the_broken_layout_fails_as_it_is_and_passes_with_the_overlay(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "broken")
    checks = testing.checks_of_model_dir(path, trust_remote_code=True)
    checks["overlay"]()
    with pytest.raises(CheckError, match=r"tokenization_kimi\.py"):
        checks["exo"]()


def swap_ranks(path: Path) -> None:
    rows = (path / "tiktoken.model").read_text("ascii")
    comma, exclamation = "LA== 11\n", "IQ== 0\n"  # rank of "," and "!"
    assert comma in rows
    assert rows.startswith(exclamation)
    rows = rows.replace(comma, "LA== 0\n").replace(exclamation, "IQ== 11\n", 1)
    (path / "tiktoken.model").write_text(rows, "ascii")


def rename_token(path: Path) -> None:
    config = (path / "tokenizer_config.json").read_text()
    (path / "tokenizer_config.json").write_text(config.replace("<|im_user|>", "<|open|>"))


@pytest.mark.parametrize("damage", [swap_ranks, rename_token])
def test_another_vocabulary_fails(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = write_layout(named(tmp_path), "good")
    damage(path)
    checks = testing.checks_of_model_dir(path)
    for name in ("vocabulary", "overlay", "data"):
        with pytest.raises(CheckError):
            checks[name]()


def test_a_directory_of_no_kimi_needs_an_id(tmp_path: Path) -> None:
    path = write_layout(tmp_path / "model", "empty")
    with pytest.raises(CheckError, match="Give its model id"):
        testing.check_model_dir(path)
    checks = testing.checks_of_model_dir(path, KIMI)
    for name in ("vocabulary", "overlay"):  # nothing contradicts, and the overlay does the work
        checks[name]()
    with pytest.raises(testing.NotCheckedError, match=r"neither a tiktoken\.model nor a tokenizer\.json"):
        checks["data"]()
    with pytest.raises(CheckError, match="exo would not load"), pytest.warns(testing.NotCheckedWarning):
        testing.check_model_dir(path, KIMI)


SLOW = """
open(__file__ + ".ran", "w").close()
class TikTokenTokenizer:
    pass
"""


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        ("broken", "tokenization_kimi.py and tiktoken.model are missing.* sync "),
        ("empty", "missing"),
        ("partial", "not all weights are there|missing"),
        ("k3", "has model_type 'kimi_k3'"),
    ],
)
def test_what_exo_would_not_load_fails_as_it_is(tmp_path: Path, layout: str, reason: str) -> None:
    path = write_layout(named(tmp_path), layout)
    with pytest.raises(CheckError, match=reason):
        testing.checks_of_model_dir(path)["exo"]()


def test_no_check_renders_a_template(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "good")
    (path / "chat_template.jinja").write_text(ENDLESS_TEMPLATE)
    testing.check_model_dir(path)


def test_weights_under_way_fail_whatever_the_tokenizer(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "good")
    next(path.glob("*.safetensors")).unlink()
    with pytest.raises(CheckError, match="not all weights are there"):
        testing.check_model_dir(path)


def test_python_that_nobody_knows_is_not_called_fine_and_not_run(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "good")
    (path / "tokenization_kimi.py").write_text(SLOW)
    with pytest.raises(CheckError, match="neither upstream's known one nor ours"):
        testing.check_model_dir(path)
    assert not (path / "tokenization_kimi.py.ran").exists()
    instruct = write_layout(tmp_path / "moonshotai--Kimi-K2-Instruct", "good", "kimi-k2-instruct")
    (instruct / "tokenization_kimi.py").write_text(SLOW)  # of this line no upstream Python is known
    with pytest.raises(CheckError, match="neither upstream's known one nor ours"):
        testing.check_model_dir(instruct)
    assert not (instruct / "tokenization_kimi.py.ran").exists()


def test_upstreams_known_python_is_not_run_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_layout(named(tmp_path), "good")
    (path / "tokenization_kimi.py").write_text(SLOW)
    known = dict(testing.catalogue.get(KIMI).upstream.sha256)
    known["tokenization_kimi.py"] = sha256(SLOW.encode()).hexdigest()
    known["tool_declaration_ts.py"] = sha256((path / "tool_declaration_ts.py").read_bytes()).hexdigest()
    overlay = testing.catalogue.get(KIMI)
    changed = overlay._replace(upstream=overlay.upstream._replace(sha256=known))
    monkeypatch.setattr(testing, "identify", lambda path: changed)
    with pytest.warns(testing.NotCheckedWarning, match=r"exo: not checked: .*--kimi-trust-remote-code"):
        testing.check_model_dir(path)
    assert not (path / "tokenization_kimi.py.ran").exists()


# The plugin


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "kimi_tokenizers.commands.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_plugin_checks_a_directory_beside_a_projects_own_tests(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "good")
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    done = run_pytest(tmp_path, "-v", "--kimi-model-dir", path.name)
    assert done.returncode == 0, done.stdout + done.stderr
    for check in ("vocabulary", "overlay", "data", "exo"):
        assert f"kimi:{path.name}::{check} PASSED" in done.stdout
    assert "5 passed" in done.stdout


def test_the_plugin_fails_with_the_reason(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "good")
    rename_token(path)
    done = run_pytest(tmp_path, "--kimi-model-dir", str(path))
    assert done.returncode == 1
    assert "'<|open|>'" in done.stdout
    assert "--kimi-model=OWNER/NAME" in done.stdout
    assert "Traceback" not in done.stdout


def test_the_plugin_fails_where_exo_would(tmp_path: Path) -> None:
    path = write_layout(named(tmp_path), "broken")
    done = run_pytest(tmp_path, "-rs", "--kimi-model-dir", str(path))
    assert done.returncode == 1
    assert "exo would not load" in done.stdout
    assert "kimi-tokenizers sync" in done.stdout
    assert re.search(r"SKIPPED .*not checked: there is neither", done.stdout)  # it has no data of its own
    assert "1 failed, 2 passed, 1 skipped" in done.stdout


def test_the_plugin_refuses_what_is_no_model_directory(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--kimi-model-dir", "nothing-here")
    assert done.returncode == 4
    assert "nothing-here" in done.stderr
    write_layout(tmp_path / "model", "empty")
    done = run_pytest(tmp_path, "--kimi-model-dir", "model")
    assert done.returncode == 4
    assert "--kimi-model)" in done.stderr
    done = run_pytest(tmp_path, "--kimi-model-dir", "model", "--kimi-model", "Kimi-K2.6")
    assert done.returncode == 4
    assert "--kimi-model: 'Kimi-K2.6' is not a model id" in done.stderr


def test_the_plugin_costs_nothing_without_its_option(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\n"
        "def test_own():\n"
        "    assert not {'transformers', 'tiktoken', 'kimi_tokenizers.testing'} & {*sys.modules}\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
