"""exo 0.3.70's loading steps, one by one, on directories made for the purpose."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kimi_tokenizers.evidence import exo_loading
from kimi_tokenizers.evidence.exo_loading import isolated, load_like_exo

NAMES = ("tool_declaration_ts", "tokenization_kimi")
GPT2 = "transformers.models.gpt2.tokenization_gpt2"

DECLARATION = """\
def declare():
    return "declared in " + __name__
"""

TOKENIZATION = """\
from .tool_declaration_ts import declare

class TikTokenTokenizer:
    @classmethod
    def from_pretrained(cls, path):
        self = cls()
        self.path = path
        self.declared = declare()
        self.model = cls.Model()
        return self

    class Model:
        def encode(self, text, *, allowed_special):
            assert allowed_special == "all"
            return tuple(text.encode())
"""


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    with isolated():
        yield


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "tool_declaration_ts.py").write_text(DECLARATION)
    (tmp_path / "tokenization_kimi.py").write_text(TOKENIZATION)
    return tmp_path


def test_the_steps_make_a_tokenizer(model: Path) -> None:
    tokenizer = load_like_exo(model, wrap=False)
    assert tokenizer.path == model
    assert tokenizer.declared == "declared in tool_declaration_ts"
    assert tokenizer.encode("hé", add_special_tokens=False) == [0x68, 0xC3, 0xA9]


def test_the_modules_are_top_level_and_know_their_file(model: Path) -> None:
    load_like_exo(model, wrap=False)
    for name in NAMES:
        module = sys.modules[name]
        assert module.__name__ == name
        assert module.__file__ == str(model / f"{name}.py")


def test_the_directory_is_put_in_front_of_sys_path(model: Path) -> None:
    before = list(sys.path)
    load_like_exo(model, wrap=False)
    assert sys.path == [str(model), *before]


def test_what_was_imported_from_the_directory_is_gone_afterwards(model: Path) -> None:
    with (model / "tokenization_kimi.py").open("a") as stream:
        stream.write("\nimport found_in_the_directory\n")
    (model / "found_in_the_directory.py").write_text("")
    before = list(sys.path)
    with isolated():
        load_like_exo(model, wrap=False)
        assert "found_in_the_directory" in sys.modules
    assert not {"found_in_the_directory", *NAMES} & {*sys.modules}
    assert sys.path == before


def test_neither_file_inherits_a_future_statement_from_exo(model: Path) -> None:
    with (model / "tokenization_kimi.py").open("a") as stream:
        stream.write("\ndef f(x: int): ...\n")
    load_like_exo(model, wrap=False)
    assert sys.modules["tokenization_kimi"].f.__annotations__ == {"x": int}


def test_without_tokenization_kimi_the_file_is_not_found(model: Path) -> None:
    (model / "tokenization_kimi.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"tokenization_kimi\.py"):
        load_like_exo(model)


def test_without_the_class_the_error_is_the_one_users_reported(model: Path) -> None:
    (model / "tokenization_kimi.py").write_text("class TikTokenTokenizerFast: ...\n")
    message = "module 'tokenization_kimi' has no attribute 'TikTokenTokenizer'"
    with pytest.raises(AttributeError) as caught:
        load_like_exo(model)
    assert str(caught.value) == message


def test_a_fast_tokenizer_fails_at_the_first_encode(model: Path) -> None:
    """Users reported this, too: the fast class has no `.model`."""
    tokenizer = SimpleNamespace(model=None)
    exo_loading.replace_encode(tokenizer)
    message = "'NoneType' object has no attribute 'encode'"
    with pytest.raises(AttributeError, match=message):
        tokenizer.encode("text")


def test_without_a_tool_declaration_step_3_is_left_out(tmp_path: Path) -> None:
    assert exo_loading.execute_tool_declaration(tmp_path) is None
    assert "tool_declaration_ts" not in sys.modules


def test_a_missing_tool_declaration_is_the_importers_error(model: Path) -> None:
    (model / "tool_declaration_ts.py").unlink()
    with pytest.raises(ModuleNotFoundError, match="No module named 'tool_declaration_ts'"):
        load_like_exo(model)


def test_only_the_one_relative_import_is_rewritten(model: Path) -> None:
    (model / "tokenization_kimi.py").write_text("from .media_utils import media\n")
    with pytest.raises(ImportError, match="attempted relative import"):
        load_like_exo(model)


def test_step_1_leaves_gpt2_with_bytes_to_unicode() -> None:
    exo_loading.provide_bytes_to_unicode()
    function = importlib.import_module(GPT2).bytes_to_unicode
    assert len(set(function().values())) == 256
    assert function()[ord("A")] == "A"


def test_step_1_keeps_a_function_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    gpt2 = importlib.import_module(GPT2)
    monkeypatch.setattr(gpt2, "bytes_to_unicode", dict, raising=False)
    exo_loading.provide_bytes_to_unicode()
    assert vars(gpt2)["bytes_to_unicode"] is dict


def test_isolated_undoes_everything(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpt2 = importlib.import_module(GPT2)
    monkeypatch.delattr(gpt2, "bytes_to_unicode", raising=False)
    before = (list(sys.path), dict(vars(gpt2)))
    with isolated():
        tokenizer = load_like_exo(model, wrap=False)
        assert set(NAMES) <= set(sys.modules)
    assert not set(NAMES) & set(sys.modules)
    assert (sys.path, dict(vars(gpt2))) == before
    assert tokenizer.encode("a") == [97]


def test_isolated_gives_back_modules_that_were_there(model: Path) -> None:
    mine = {name: ModuleType(name) for name in NAMES}
    sys.modules.update(mine)
    with isolated():
        load_like_exo(model, wrap=False)
        assert sys.modules["tokenization_kimi"] is not mine["tokenization_kimi"]
    assert {name: sys.modules[name] for name in NAMES} == mine


def test_isolated_undoes_after_an_error(model: Path) -> None:
    path = list(sys.path)
    (model / "tokenization_kimi.py").write_text("raise RuntimeError('at import')\n")
    with pytest.raises(RuntimeError, match="at import"), isolated():
        load_like_exo(model)
    assert sys.path == path
    assert "tokenization_kimi" not in sys.modules


PRELUDE = """\
import runpy, sys
from pathlib import Path

class Hidden:
    names = {"kimi_tokenizers"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
load_like_exo = runpy.run_path(sys.argv[1])["load_like_exo"]
model = Path(sys.argv[2])
"""


def run_by_path(program: str, model: Path) -> subprocess.CompletedProcess[str]:
    """Run a program with the one file, by its path, where the package cannot be imported."""
    return subprocess.run(
        [sys.executable, "-I", "-c", PRELUDE + program, exo_loading.__file__, str(model)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_runs_where_the_package_cannot_be_imported(model: Path) -> None:
    program = """
try:
    import kimi_tokenizers
except ModuleNotFoundError:
    print(load_like_exo(model, wrap=False).encode("hi"))
"""
    done = run_by_path(program, model)
    assert (done.returncode, done.stdout) == (0, "[104, 105]\n"), done.stderr


def test_wrapping_without_mlx_lm_is_an_import_error(model: Path) -> None:
    program = """
Hidden.names.add("mlx_lm")
try:
    load_like_exo(model)
except ImportError as error:
    print(error)
"""
    done = run_by_path(program, model)
    assert (done.returncode, done.stdout) == (0, "No module named 'mlx_lm'\n"), done.stderr


@pytest.fixture
def mlx_lm(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand-ins for the two modules of mlx-lm, which is not installed everywhere."""
    made: dict[str, Any] = {}

    class Wrapper:
        def __init__(
            self,
            tokenizer: Any,
            *,
            eos_token_ids: Any = None,
            tool_call_start: Any = None,
            tool_call_end: Any = None,
            tool_parser: Any = None,
        ) -> None:
            made.update(locals())

    parsers = ModuleType("mlx_lm.tool_parsers.kimi_k2")
    vars(parsers)["parse_tool_call"] = repr
    utilities = ModuleType("mlx_lm.tokenizer_utils")
    vars(utilities)["TokenizerWrapper"] = Wrapper
    for module in (ModuleType("mlx_lm"), ModuleType("mlx_lm.tool_parsers"), parsers, utilities):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


def test_step_7_hands_over_stop_id_markers_and_parser(model: Path, mlx_lm: dict[str, Any]) -> None:
    load_like_exo(model)
    assert mlx_lm["tokenizer"].path == model
    assert mlx_lm["eos_token_ids"] == [163586]
    assert mlx_lm["tool_call_start"] == "<|tool_calls_section_begin|>"
    assert mlx_lm["tool_call_end"] == "<|tool_calls_section_end|>"
    assert mlx_lm["tool_parser"] is repr


def test_step_7_leaves_out_what_an_old_wrapper_does_not_know(
    model: Path, mlx_lm: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class OldWrapper:
        def __init__(self, tokenizer: Any, eos_token_ids: Any = None) -> None:
            self.eos_token_ids = eos_token_ids

    monkeypatch.setitem(vars(sys.modules["mlx_lm.tokenizer_utils"]), "TokenizerWrapper", OldWrapper)
    monkeypatch.delitem(sys.modules, "mlx_lm.tool_parsers.kimi_k2")
    monkeypatch.delitem(sys.modules, "mlx_lm.tool_parsers")
    assert exo_loading.tool_parser() is None
    assert load_like_exo(model).eos_token_ids == [163586]
