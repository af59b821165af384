"""Named chat templates: which one renders, by transformers' own rule, whoever loads the tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layouts import write_layout
from transformers import AutoTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers import catalogue
from kimi_tokenizers.evidence import exo_loading
from kimi_tokenizers.sync import apply, plan


def test_named_templates_are_chosen_alike_whoever_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With tools `tool_use`, without `default`: `load`, AutoTokenizer after `sync` and after `register`, and exo."""
    model_dir = write_layout(tmp_path / "moonshotai--Kimi-K2.6", "good")
    (model_dir / "chat_template.jinja").unlink()
    path = model_dir / "tokenizer_config.json"
    named = [
        {"name": "default", "template": "plain: {{ messages[0].content }}"},
        {"name": "tool_use", "template": "tools: {{ tools[0].function.name }}: {{ messages[0].content }}"},
    ]
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "chat_template": named}))
    apply(plan(catalogue.overlays()["kimi-k2.6"], model_dir))
    with exo_loading.isolated():
        tokenizers = [exo_loading.load_like_exo(model_dir, wrap=False)]
    tokenizers += [kt.load("moonshotai/Kimi-K2.6", model_dir)]
    tokenizers += [AutoTokenizer.from_pretrained(model_dir, trust_remote_code=True)]
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", AutoTokenizer.from_pretrained)  # put back afterwards
    kt.register()
    tokenizers += [AutoTokenizer.from_pretrained(model_dir)]
    messages = [{"role": "user", "content": "Hi"}]
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    for tokenizer in tokenizers:
        render = tokenizer.apply_chat_template
        assert render(messages, tools=[tool], tokenize=False) == "tools: look: Hi"
        assert render(messages, tokenize=False) == "plain: Hi"
        assert render(messages, tools=[tool], chat_template="default", tokenize=False) == "plain: Hi"
