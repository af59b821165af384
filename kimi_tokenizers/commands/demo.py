"""`demo`: a model directory as upstream broke it, exo's steps failing on it, and working with the overlay.

Everything happens in a temporary folder, which is gone afterwards.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.commands.output import emit, emit_report
from kimi_tokenizers.commands.tables import mark, verdict
from kimi_tokenizers.commands.waiting import Waiting
from kimi_tokenizers.escaping import escaped
from kimi_tokenizers.evidence import isolated, load_like_exo, private_copy, wrap_for_mlx
from kimi_tokenizers.model_dirs import TokenizerFiles, folder_name
from kimi_tokenizers.tokenizer import END, START, parse_tool_call

MODEL = "moonshotai/Kimi-K2.6"
_WIDTH = len("a model directory as upstream left it on 2026-05-11")  # of the longest step but one
TEXT = "Hello, 世界! Привет, नमस्ते 👋 — 2,026 tokens?"

_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_ANSWER = (
    f"{START}<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
    f'{{"city": "北京"}}<|tool_call_end|>{END}'
)

# What a fast tokenizer is to exo: a class without the `.model` that it calls.
_FAST_STUB = "class TikTokenTokenizerFast:\n    model = None\n"


@dataclass
class Step:
    """One line of the demonstration: what was done, what came of it, and whether that is what should come of it."""

    what: str
    result: str
    ok: bool


@dataclass
class Demo:
    """The demonstration's outcome."""

    model: str = MODEL
    steps: list[Step] = field(default_factory=list)
    seconds: float = 0.0
    done: Callable[[Step], None] = lambda step: None

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step.ok for step in self.steps)

    def add(self, what: str, result: str, ok: bool) -> None:
        self.steps.append(Step(what, result, ok))
        self.done(self.steps[-1])


def write_broken(model_dir: Path) -> None:
    """Write what upstream's commit of 2026-05-11 left of a model directory, with weights of a few bytes."""
    overlay = catalogue.get(MODEL)
    config = json.loads(overlay.read("tokenizer_config.json"))
    config["tokenizer_class"] = "TikTokenTokenizerFast"
    config["auto_map"] = {"AutoTokenizer": [None, "tokenization_kimi_fast.TikTokenTokenizerFast"]}
    weights = "model-00001-of-00001.safetensors"
    files = {
        "config.json": json.dumps({"model_type": "kimi_k25", "text_config": {"vocab_size": 163840}}),
        "tokenizer_config.json": json.dumps(config, indent=2),
        "tokenization_kimi_fast.py": _FAST_STUB,
        "chat_template.jinja": overlay.read("chat_template.jinja").decode("utf-8"),
        "model.safetensors.index.json": json.dumps({"weight_map": {"lm_head.weight": weights}}),
        weights: "",
    }
    model_dir.mkdir(parents=True)
    for name, content in files.items():
        (model_dir / name).write_text(content, encoding="utf-8")


def run(arguments: argparse.Namespace) -> int:
    """Run the demonstration and print each step as it happens."""
    with Waiting("at work"):
        demo = demonstrate((lambda step: None) if arguments.json else _say)
    if arguments.json:
        failed = [f"{step.what}: {step.result}" for step in demo.steps if not step.ok]
        steps = [asdict(step) for step in demo.steps]
        emit_report(demo.ok, failed, model=demo.model, steps=steps, seconds=demo.seconds)
    else:
        emit(f"{demo.model}: {'works' if demo.ok else 'DOES NOT WORK'} ({demo.seconds:.1f} s)")
    return 0 if demo.ok else 1


def _say(step: Step) -> None:
    word = mark(step.ok)
    emit(f"{verdict(word)}{' ' * (8 - len(word))}{escaped(step.what):<{_WIDTH}}  {escaped(step.result)}")


def demonstrate(done: Callable[[Step], None] = lambda step: None) -> Demo:
    """Run the demonstration.

    Args:
        done: called with each step as soon as it is done.

    Raises:
        ModuleNotFoundError: a package that it needs is not installed.
    """
    for package in ("transformers", "tiktoken"):  # before the first step is shown
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    demo = Demo(done=done)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="kimi-tokenizers-demo-") as folder, isolated():
        for part in (_without, _with):
            try:
                part(demo, Path(folder) / folder_name(MODEL))
            except ModuleNotFoundError:  # a package that is not installed says nothing about the overlay
                raise
            except Exception as error:  # a demonstration that fails says so in its table
                demo.add("unexpected error", f"{type(error).__name__}: {error}", False)
    demo.seconds = time.perf_counter() - started
    return demo


def _without(demo: Demo, model_dir: Path) -> None:
    write_broken(model_dir)
    demo.add("a model directory as upstream left it on 2026-05-11", ", ".join(sorted(os.listdir(model_dir))), True)
    try:
        load_like_exo(model_dir, wrap=False)
        demo.add("exo without the overlay", "it loaded, which it should not", False)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        demo.add("exo without the overlay", f"fails as reported, FileNotFoundError: {missing}", True)


def _with(demo: Demo, model_dir: Path) -> None:
    overlay = catalogue.get(MODEL)
    with TokenizerFiles(model_dir) as directory:
        ours = [layer.name for layer in resolver.layers(overlay, directory) if layer.origin == "overlay"]
    front = resolver.resolve(MODEL, model_dir)
    demo.add("the overlay goes in front", ", ".join(ours), (front / "tokenization_kimi.py").exists())

    with TokenizerFiles(front) as files, private_copy(overlay, files) as copy:
        tokenizer = load_like_exo(copy, wrap=False)
    demo.add("exo with the overlay, steps 1 to 6", f"{type(tokenizer).__name__}, {len(tokenizer):,} tokens", True)
    try:
        tokenizer = wrap_for_mlx(tokenizer)
        stop = sorted(tokenizer.eos_token_ids)
        demo.add("exo with the overlay, step 7", f"mlx-lm's TokenizerWrapper, stops at {stop}", 163586 in stop)
    except ImportError:
        demo.add("exo with the overlay, step 7", "left out: mlx-lm is not installed (the [mlx] extra)", True)

    ids = tokenizer.encode(TEXT, add_special_tokens=False)
    demo.add(f"encode {TEXT!r}", " ".join(map(str, ids)), True)
    demo.add("decode", repr(tokenizer.decode(ids)), tokenizer.decode(ids) == TEXT)

    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "How is the weather in 北京?"}],
        tools=[_TOOL],
        tokenize=False,
        add_generation_prompt=True,
    )
    whole = "type get_weather = (_: {" in prompt and prompt.endswith("<|im_assistant|>assistant<|im_middle|><think>")
    demo.add("render a chat with a tool", f"{len(tokenizer.encode(prompt))} tokens: …{prompt[-64:]}", whole)

    calls: Any = parse_tool_call(_ANSWER[len(START) : -len(END)])
    called = f"{calls[0]['name']}({calls[0]['arguments']})"
    demo.add("parse a tool call", called, calls[0]["arguments"] == {"city": "北京"})
