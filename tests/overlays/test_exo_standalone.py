"""The overlay's files stand alone: exo's steps 1 to 7 in a process in which this package cannot be imported.

One process goes through the directories of all lines, and the tests look at what it reported. mlx-lm's own wrapper is
used, as exo does.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from conftest import NAMED
from layouts import write_layout
from mlx_lm.tokenizer_utils import TokenizerWrapper

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.catalogue.overlay import Overlay, OverlayFile
from kimi_tokenizers.evidence import exo_loading
from kimi_tokenizers.model_dirs import TokenizerFiles

LINES = ("kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6")
CONFIGS = ("broken", "missing")

TEXTS = [
    "Hello, world!",
    "  two spaces\n\n\tand a tab  ",
    "1234567 + 89 = 1234656",
    "月之暗面发布了新模型。",
    "Zażółć gęślą jaźń, привет, こんにちは, 안녕하세요, שלום, नमस्ते",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301",
    "def f(x):\n    return x ** 2  # comment\r\n",
]
CONTROL = "<|im_user|>user<|im_middle|>Hi<|im_end|><|tool_calls_section_begin|>"
THINK = "<think>"
NO_TOKEN = "<|test|>Hello<|end|>"  # exo's tokenizer test asks for this one

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
CALL = '<|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{"city": "北京"}<|tool_call_end|>'

PRELUDE = """\
import json, runpy, sys
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "kimi_tokenizers":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
try:
    import kimi_tokenizers
except ModuleNotFoundError:
    pass
else:
    raise AssertionError("the package could be imported")
given = json.loads(sys.argv[1])
"""

STEPS = (
    PRELUDE
    + """
steps = runpy.run_path(given["steps"])

def observe(tokenizer, given):
    inner = tokenizer._tokenizer
    ids = tokenizer.encode(given["control"], add_special_tokens=False)
    prompts = {}
    for thinking in (True, False):
        if tokenizer.chat_template is None:
            continue
        prompts[str(thinking)] = tokenizer.apply_chat_template(
            [{"role": "user", "content": "Hi"}],
            tokenize=False,
            add_generation_prompt=True,
            tools=given["tools"],
            thinking=thinking,
            enable_thinking=thinking,
        )
    streams = []
    for text in given["texts"]:
        detokenizer = tokenizer.detokenizer
        segments = []
        for index in tokenizer.encode(text, add_special_tokens=False):
            detokenizer.add_token(index)
            segments.append(detokenizer.last_segment)
        detokenizer.finalize()
        segments.append(detokenizer.last_segment)
        streams.append(["".join(segments), detokenizer.text])
    parser = getattr(tokenizer, "tool_parser", None)
    return {
        "texts": [tokenizer.encode(text, add_special_tokens=False) for text in given["texts"]],
        "decoded": [tokenizer.decode(tokenizer.encode(text)) for text in given["texts"]],
        "types": sorted({type(index).__name__ for text in given["texts"] for index in tokenizer.encode(text)}),
        "list": type(tokenizer.encode(given["texts"][0])).__name__,
        "control": ids,
        "decoded control": tokenizer.decode(ids),
        "decoded one by one": "".join(tokenizer.decode([index]) for index in ids),
        "think": tokenizer.encode(given["think"], add_special_tokens=False),
        "empty": tokenizer.encode(""),
        "no token": tokenizer.decode(tokenizer.encode(given["no token"])),
        "no token ids": tokenizer.encode(given["no token"]),
        "prompts": prompts,
        "template": tokenizer.chat_template,
        "streams": streams,
        "stop ids": sorted(tokenizer.eos_token_ids),
        "has thinking": tokenizer.has_thinking,
        "think start tokens": getattr(tokenizer, "think_start_tokens", None),
        "bos": tokenizer.bos_token,
        "eos": [tokenizer.eos_token, tokenizer.eos_token_id],
        "sizes": [tokenizer.vocab_size, len(inner), len(tokenizer.get_vocab())],
        "special": sorted(tokenizer.all_special_tokens),
        "to ids": tokenizer.convert_tokens_to_ids(["<|im_end|>", "[EOS]", "<|tool_call_begin|>", "Hello"]),
        "calls": parser and parser(given["call"]),
        "markers": [getattr(tokenizer, "tool_call_start", None), getattr(tokenizer, "tool_call_end", None)],
        "wrapper": type(tokenizer).__module__ + "." + type(tokenizer).__name__,
        "class": type(inner).__module__ + "." + type(inner).__name__,
        "base of the errors": sys.modules["tokenization_kimi"].KimiTokenizersError.__module__,
    }

result = {}
for name, directory in given["directories"].items():
    with steps["isolated"]():
        result[name] = observe(steps["load_like_exo"](Path(directory)), given)
assert not any(name.startswith("kimi_tokenizers") for name in sys.modules)
print("RESULT" + json.dumps(result))
"""
)

AUTO = (
    PRELUDE
    + """
from transformers import AutoTokenizer

result = {}
for name, directory in given["directories"].items():
    tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=True)
    result[name] = {
        "class": type(tokenizer).__name__,
        "module": type(tokenizer).__module__.partition(".")[0],
        "control": tokenizer.encode(given["control"]),
        "think": tokenizer.encode(given["think"]),
        "template": tokenizer.chat_template,
        "decoded": [tokenizer.decode(tokenizer.encode(text)) for text in given["texts"]],
    }
assert not any(name.startswith("kimi_tokenizers") for name in sys.modules)
print("RESULT" + json.dumps(result))
"""
)


def write_front(directory: Path, overlay: Overlay, empty: Path) -> None:
    """The overlay's files and nothing else: what is in front of an empty model directory."""
    directory.mkdir(parents=True)
    for name, file in resolver.front(overlay, TokenizerFiles(empty)).items():
        assert isinstance(file.data, OverlayFile) or name == resolver.NO_BYTECODE
        (directory / name).write_bytes(file.read())


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Line and configuration -> directory of the overlay's files with that `tokenizer_config.json`."""
    folder = tmp_path_factory.mktemp("standalone")
    (folder / "empty").mkdir()
    result = {}
    for line in LINES:
        for config in (*CONFIGS, "whole"):
            directory = folder / line / config
            write_front(directory, catalogue.overlays()[line], folder / "empty")
            path = directory / "tokenizer_config.json"
            if config == "broken":
                path.write_bytes((write_layout(folder / "upstream" / line, "broken", line) / path.name).read_bytes())
            elif config == "missing":
                path.unlink()
            result[f"{line} {config}"] = str(directory)
    return result


def run(program: str, directories: dict[str, str], folder: Path) -> dict[str, Any]:
    given = {
        "steps": exo_loading.__file__,
        "directories": directories,
        "texts": TEXTS,
        "control": CONTROL,
        "think": THINK,
        "no token": NO_TOKEN,
        "tools": TOOLS,
        "call": CALL,
    }
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"HF_MODULES_CACHE": str(folder / "modules"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", program, json.dumps(given)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reported: dict[str, Any] = json.loads(done.stdout.partition("RESULT")[2])
    return reported


@pytest.fixture(scope="module")
def loaded(directories: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    chosen = {name: directory for name, directory in directories.items() if not name.endswith(" whole")}
    return run(STEPS, chosen, tmp_path_factory.mktemp("steps"))


@pytest.fixture(params=LINES)
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CONFIGS)
def found(request: pytest.FixtureRequest, line: str, loaded: dict[str, Any]) -> dict[str, Any]:
    reported: dict[str, Any] = loaded[f"{line} {request.param}"]
    return reported


def test_it_is_our_file_in_mlx_lms_wrapper(found: dict[str, Any]) -> None:
    assert found["wrapper"] == "mlx_lm.tokenizer_utils.TokenizerWrapper"
    assert found["class"] == "tokenization_kimi.TikTokenTokenizer"
    assert found["base of the errors"] == "tokenization_kimi"


def test_ids(found: dict[str, Any], line: str, plain: tiktoken.Encoding) -> None:
    assert found["texts"] == [plain.encode_ordinary(text) for text in TEXTS]
    assert found["texts"][0] == [19180, 11, 2695, 0]
    assert found["control"] == [163587, *plain.encode_ordinary("user"), 163601, *plain.encode("Hi"), 163586, 163595]


def test_think_is_plain_text_in_kimi_k2_instruct_alone(found: dict[str, Any], line: str) -> None:
    """Also where no `tokenizer_config.json` says so: `kimi_line.json` does."""
    assert found["think"] == ([27, 39964, 29] if line == "kimi-k2-instruct" else [163606])


def test_text(found: dict[str, Any]) -> None:
    assert found["decoded"] == TEXTS
    assert found["decoded control"] == CONTROL
    assert found["decoded one by one"] == CONTROL


def test_what_exos_tokenizer_test_asks_for(found: dict[str, Any], plain: tiktoken.Encoding) -> None:
    assert (found["list"], found["types"]) == ("list", ["int"])
    assert found["empty"] == []
    assert found["no token"] == NO_TOKEN
    assert found["no token ids"] == plain.encode_ordinary(NO_TOKEN)


def test_prompts(found: dict[str, Any], line: str) -> None:
    assert found["template"] == catalogue.overlays()[line].read("chat_template.jinja").decode()
    if line in ("kimi-k2-instruct", "kimi-k2-thinking"):  # no TypeScript, and no way to think or not to
        assert found["prompts"]["True"] == found["prompts"]["False"]
        assert found["prompts"]["True"].startswith('<|im_system|>tool_declare<|im_middle|>[{"function":{')
        assert found["prompts"]["True"].endswith("<|im_assistant|>assistant<|im_middle|>")
        return
    declaration = (
        "# Tools\n\n## functions\nnamespace functions {\n// The weather.\n"
        "type weather = (_: {\n  city: string\n}) => any;\n}\n"
    )
    expected = (
        f"<|im_system|>tool_declare<|im_middle|>{declaration}<|im_end|>"
        "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|><think>"
    )
    assert found["prompts"] == {"True": expected, "False": expected + "</think>"}


def test_streaming(found: dict[str, Any]) -> None:
    assert found["streams"] == [[text, text] for text in TEXTS]


def test_where_exo_stops(found: dict[str, Any]) -> None:
    assert 163586 in found["stop ids"]
    assert set(found["stop ids"]) <= {163586, 163585}  # newer wrappers add the tokenizer's own
    assert found["eos"] == ["[EOS]", 163585]
    assert found["bos"] == "[BOS]"


def test_thinking(found: dict[str, Any], line: str) -> None:
    thinks = line != "kimi-k2-instruct"
    assert found["has thinking"] is thinks
    if hasattr(TokenizerWrapper, "think_start_tokens"):
        assert found["think start tokens"] == ([163606] if thinks else None)


def test_the_vocabulary(found: dict[str, Any], line: str) -> None:
    assert found["sizes"] == [163840, 163840, 163840]
    assert found["to ids"] == [163586, 163585, 163597, 19180]
    special = {name for name, (_, is_special) in NAMED.items() if is_special}
    if line in ("kimi-k2-instruct", "kimi-k2-thinking"):
        special -= {name for name in special if "media" in name}
    assert set(found["special"]) == special


def test_tool_calls(found: dict[str, Any]) -> None:
    if "tool_parser" not in inspect.signature(TokenizerWrapper.__init__).parameters:
        assert found["calls"] is None  # a wrapper of before mlx-lm 0.31 has no place for a parser
        return
    assert found["calls"] == [{"id": "functions.weather:0", "name": "weather", "arguments": {"city": "北京"}}]
    assert found["markers"] == ["<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"]


@pytest.fixture(scope="module")
def auto(directories: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    chosen = {line: directories[f"{line} whole"] for line in LINES}
    return run(AUTO, chosen, tmp_path_factory.mktemp("auto"))


def test_auto_tokenizer_with_remote_code(line: str, auto: dict[str, Any], plain: tiktoken.Encoding) -> None:
    """transformers copies the two Python files elsewhere and imports them as a package; the directory is enough."""
    found = auto[line]
    assert (found["class"], found["module"]) == ("TikTokenTokenizer", "transformers_modules")
    assert found["control"] == plain.encode(CONTROL, allowed_special="all")
    assert found["think"] == ([27, 39964, 29] if line == "kimi-k2-instruct" else [163606])
    assert found["decoded"] == TEXTS
    overlay = catalogue.overlays()[line]
    template = overlay.read("chat_template.jinja").decode() if "chat_template.jinja" in overlay.files else None
    assert found["template"] == template


def test_the_blocker_blocks(tmp_path: Path) -> None:
    """Where the package can be imported, the processes above would have refused to go on."""
    program = PRELUDE.replace("sys.meta_path.insert", "(lambda *_: None)")
    environment = {**os.environ, "PYTHONPATH": str(Path(exo_loading.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program, "{}"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "AssertionError: the package could be imported" in done.stderr
