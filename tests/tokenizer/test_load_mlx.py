"""`load_mlx`: what exo uses of mlx-lm's wrapper, and a tool parser that agrees with mlx-lm's own.

Needs an mlx-lm whose wrapper takes a tool parser.
"""

from __future__ import annotations

import builtins
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import NAMED, control_names
from encoding_texts import GOLDEN, outcome
from hypothesis import example, given, settings
from hypothesis import strategies as st
from layouts import write_layout
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.tool_parsers import kimi_k2

import kimi_tokenizers as kt
from kimi_tokenizers.errors import ToolCallError
from kimi_tokenizers.tokenizer import tool_calls

HELLO = [{"role": "user", "content": "Hi"}]
HI = "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|>"


@pytest.fixture(scope="module")
def wrapper() -> Any:
    return kt.load_mlx("mlx-community/Kimi-K2.6")


# What exo uses


def test_it_is_the_wrapper_that_exo_builds(wrapper: Any) -> None:
    assert type(wrapper) is TokenizerWrapper
    assert type(wrapper._tokenizer).__name__ == "TikTokenTokenizer"
    assert 163586 in wrapper.eos_token_ids
    assert wrapper.tool_call_start == "<|tool_calls_section_begin|>"
    assert wrapper.tool_call_end == "<|tool_calls_section_end|>"
    assert wrapper.has_tool_calling


def test_encode_and_decode(wrapper: Any) -> None:
    for row in GOLDEN:
        if row["line"] == "kimi-k2.6" and row["special"] == "all":
            assert wrapper.encode(row["text"], add_special_tokens=False) == row["ids"]
            assert wrapper.decode(row["ids"]) == row["text"].encode("utf-16", "surrogatepass").decode(
                "utf-16", "replace"
            )
    assert wrapper.decode([163586]) == "<|im_end|>"


def test_chat(wrapper: Any) -> None:
    def render(**kwargs: Any) -> Any:
        return wrapper.apply_chat_template(HELLO, tokenize=False, add_generation_prompt=True, tools=None, **kwargs)

    assert wrapper.has_chat_template
    assert wrapper.chat_template
    assert render(thinking=True, enable_thinking=True) == f"{HI}<think>"
    assert render(thinking=False, enable_thinking=False) == f"{HI}<think></think>"
    assert render(enable_thinking=False) == f"{HI}<think></think>"
    assert wrapper.apply_chat_template(HELLO, add_generation_prompt=True) == wrapper.encode(f"{HI}<think>")


def test_thinking(wrapper: Any) -> None:
    assert wrapper.has_thinking
    assert (wrapper.think_start, wrapper.think_end) == ("<think>", "</think>")
    assert tuple(wrapper.think_start_tokens) == (163606,)
    assert tuple(wrapper.think_end_tokens) == (163607,)
    assert kt.load_mlx("moonshotai/Kimi-K2-Thinking").has_thinking
    assert not kt.load_mlx("moonshotai/Kimi-K2-Instruct").has_thinking


def test_what_is_forwarded(wrapper: Any) -> None:
    assert wrapper.bos_token == "[BOS]"
    assert wrapper.eos_token_id == 163585
    assert wrapper.vocab_size == 163840
    assert len(wrapper._tokenizer) == 163840
    assert "<|im_end|>" in wrapper.all_special_tokens
    assert wrapper.convert_tokens_to_ids("<|im_end|>") == 163586
    assert control_names(NAMED).items() <= wrapper.get_vocab().items()


@pytest.mark.parametrize(
    "text", ["Hello, world!", "漢字 👩\u200d💻 é\n\nß", "<think>hm</think><|tool_calls_section_begin|>"]
)
def test_detokenizer(wrapper: Any, text: str) -> None:
    detokenizer = wrapper.detokenizer
    assert detokenizer is not wrapper.detokenizer
    segments = []
    for index in wrapper.encode(text):
        detokenizer.add_token(index)
        segments.append(detokenizer.last_segment)
    detokenizer.finalize()
    segments.append(detokenizer.last_segment)
    assert "".join(segments) == detokenizer.text == text


def test_with_a_model_directory(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text("own {{ messages[0].content }}")
    config = {"added_tokens_decoder": {"163600": {"content": "<|extra|>"}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    wrapper: Any = kt.load_mlx("moonshotai/Kimi-K2.6", tmp_path)
    assert wrapper.apply_chat_template(HELLO, tokenize=False) == "own Hi"
    assert wrapper.encode("<|extra|>") == [163600]


def test_errors_are_those_of_load(tmp_path: Path) -> None:
    with pytest.raises(kt.KimiTokenizersError, match="No overlay serves"):
        kt.load_mlx("moonshotai/Kimi-K3.1-Pro")
    with pytest.raises(kt.KimiTokenizersError, match="cannot be used"):
        kt.load_mlx("moonshotai/Kimi-K2.6", tmp_path / "nowhere")


def test_without_mlx_lm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "mlx_lm"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "mlx_lm":
            raise ModuleNotFoundError("No module named 'mlx_lm'", name="mlx_lm")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"load_mlx needs mlx-lm.*kimi-tokenizers\[mlx\]"):
        kt.load_mlx()


# The tool parser

BEGIN, ARGUMENTS, END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"


def test_a_call(wrapper: Any) -> None:
    text = f'{BEGIN}functions.get_weather:0{ARGUMENTS}{{"city": "Zürich"}}{END}'
    expected = [{"id": "functions.get_weather:0", "name": "get_weather", "arguments": {"city": "Zürich"}}]
    assert (
        wrapper.tool_parser(text) == wrapper.tool_parser(text, None) == wrapper.tool_parser(text, tools=[]) == expected
    )


def test_the_marks_are_mlx_lms() -> None:
    assert (kimi_k2.tool_call_start, kimi_k2.tool_call_end) == (tool_calls.START, tool_calls.END)


names = st.sampled_from(
    [
        "functions.f:0",
        "f:1",
        "functions.a.b:12",
        "a:1:2",
        "functions.:0",
        "functions.f",
        ":0",
        "",
        "f:x",
        " functions.f:0 ",
        "\nf:3\n",
        "über:٣",
        "f :0",
    ]
)
arguments = st.one_of(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
        max_leaves=6,
    ).flatmap(lambda value: st.sampled_from([json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value)])),
    st.sampled_from(
        [
            "",
            " ",
            "{",
            "{'a': True}",
            "{{}}",
            "{[1]: 2}",
            "{1: {2}}",
            "None",
            "1 + 1",
            "f(1)",
            "'\\0",
            "\x00",
            "(1, 2)",
            "b'x'",
            "NaN",
            '{"a": 1} {"b": 2}',
            ' {"a": 1}\n',
            "[" * 200,
            "\ud800",
        ]
    ),
    st.text(max_size=10),
)
calls = st.builds(lambda name, value: f"{name}{ARGUMENTS}{value}", names, arguments)
outputs = st.one_of(
    calls,
    st.lists(
        st.builds(lambda call, gap: f"{BEGIN}{call}{END}{gap}", calls, st.sampled_from(["", "\n", " x "])), max_size=3
    ).map("".join),
    st.text(max_size=8),
    st.lists(st.one_of(calls, st.sampled_from([BEGIN, ARGUMENTS, END, "f:0", "{}"])), max_size=6).map("".join),
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=300)
@given(outputs)
@example(f"f:0{ARGUMENTS}{{{{}}}}")
@example(f"{BEGIN}f:0{ARGUMENTS}{{}}")
@example(f"{BEGIN}f:0{ARGUMENTS}{{}}{END}{BEGIN}g:1{ARGUMENTS}{{{END}")
def test_it_parses_as_mlx_lm_does(text: str) -> None:
    """What mlx-lm's parser reads is read the same; it hands out arguments that are no JSON as their very text."""
    ours = outcome(lambda: tool_calls.parse_tool_call(text))
    theirs = outcome(lambda: kimi_k2.parse_tool_call(text))
    if isinstance(theirs, tuple):
        return
    if all(is_value(call["arguments"], text) for call in theirs):
        assert repr(ours) == repr(theirs)
    elif isinstance(ours, tuple):
        assert ours[0] is ToolCallError
    else:
        assert {call["id"] for call in ours} >= {
            call["id"] for call in theirs if BEGIN not in call["id"] and is_value(call["arguments"], text)
        }


def is_value(arguments: Any, text: str) -> bool:
    """Whether arguments that mlx-lm's parser hands out are the value of what was written, and not its very text."""
    return not isinstance(arguments, str) or not re.search(rf"{re.escape(ARGUMENTS)}\s*{re.escape(arguments)}", text)


# What mlx-lm writes

CONVERT = """
import json, sys
from pathlib import Path
import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm import convert, utils
from mlx_lm.models import deepseek_v3
import kimi_tokenizers

source, target, again, text = *map(Path, sys.argv[1:4]), sys.argv[4]
sizes = dict.fromkeys(("hidden_size", "intermediate_size", "moe_intermediate_size", "max_position_embeddings"), 8)
sizes |= dict.fromkeys(("kv_lora_rank", "qk_rope_head_dim", "v_head_dim", "qk_nope_head_dim"), 4)
sizes |= dict.fromkeys(("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "first_k_dense_replace"), 1)
config = {"model_type": "kimi_k2", "vocab_size": 163840, "n_routed_experts": None, "q_lora_rank": None, **sizes}
(source / "config.json").write_text(json.dumps(config))
model = deepseek_v3.Model(deepseek_v3.ModelArgs.from_dict(config))
mx.save_safetensors(str(source / "model.safetensors"), dict(tree_flatten(model.parameters())))
kimi_tokenizers.register()
convert(str(source), mlx_path=str(target))
loaded, tokenizer = utils.load(str(target))
utils.save(again, target, loaded, tokenizer, config)
print(json.dumps(tokenizer.encode(text)))
"""


STANDING_ALONE = """
import json, sys
sys.modules["kimi_tokenizers"] = None
from transformers import AutoTokenizer
*folders, text = sys.argv[1:]
loaded = [AutoTokenizer.from_pretrained(folder, trust_remote_code=True) for folder in folders]
print(json.dumps([tokenizer.encode(text) for tokenizer in loaded]))
"""


def printed(code: str, *arguments: object) -> Any:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_mlx_lm_converts_and_saves_stands_alone(tmp_path: Path) -> None:
    source = write_layout(tmp_path / "Kimi-K2.6", "broken")
    for weights in source.glob("*.safetensors*"):
        weights.unlink()
    text = "Don't<|im_end|><think>世界 I'm"
    targets = tmp_path / "Kimi-K2.6-mlx", tmp_path / "Kimi-K2.6-again"
    ids = [34838, 163586, 163606, 2243, 6806]
    assert printed(CONVERT, source, *targets, text) == ids
    assert printed(STANDING_ALONE, *targets, text) == [ids, ids]
    for target in targets:
        assert {"tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py", "kimi_line.json"} <= {
            path.name for path in target.iterdir()
        }
