"""A conversation in which something is malformed: one typed error that names the message and the field, for every
line and on every way to a prompt; never a traceback of jinja2 or json, and never a prompt that lacks something."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile.chats import ENDLESS, FIELDS, HI, MESSAGES, OPTIONS, TOOLS, VALUES, call
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import write_layout
from transformers import AutoTokenizer

import kimi_tokenizers as kt
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.overlays.common import tokenization_kimi
from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError

IDS = ["k2.6", "instruct", "thinking", "k3", "plain"]
LINES = [
    kt.load("moonshotai/Kimi-K2.6"),
    kt.load("moonshotai/Kimi-K2-Instruct"),
    kt.load("moonshotai/Kimi-K2-Thinking"),
    kt.load("moonshotai/Kimi-K3"),
    kt.load("moonshotai/Kimi-K2.6", text_is_plain=True),
]


OWN_TEMPLATE = kt.load("moonshotai/Kimi-K2.6")
OWN_TEMPLATE.chat_template = """{%- for m in messages -%}
{{ m.role }}{{ m.content | tojson }}{{ m["content"][0] }}
{%- for key in m %}{{ m[key] | length }}{% endfor %}
{{- raise_exception("told to \x1b") if m.role == "fail" }}
{%- endfor -%}{{ tools | tojson }}{{ documents | default([], true) | length }}"""


@pytest.mark.parametrize("tokenizer", LINES, ids=IDS)
def test_the_message_and_the_field_are_named(tokenizer: Any) -> None:
    for number, (message, field) in enumerate(MESSAGES):
        for conversation, where in (
            ([HI, message], "Message 1"),
            ([[HI], [HI, message]], "Conversation 1: Message 1"),
        ):
            with pytest.raises(ConversationError) as caught:
                tokenizer.apply_chat_template(conversation, tokenize=number % 2 == 0)
            said = str(caught.value)
            assert said.startswith(where)
            assert field in said
            assert len(said) < 400


@pytest.mark.parametrize("tokenizer", LINES, ids=IDS)
def test_a_batch_of_other_things(tokenizer: Any) -> None:
    for value in ([[HI], None], [[HI], "x"], [[HI], HI], [(HI,), iter([HI])]):
        with pytest.raises(ConversationError, match=r"Conversation 1.* list of messages"):
            tokenizer.apply_chat_template(value)


@pytest.mark.parametrize("tokenizer", LINES, ids=IDS)
def test_a_lone_surrogate_is_what_tiktoken_makes_of_it(tokenizer: Any) -> None:
    """It is half a character that a client has cut, and no reason to lose a conversation."""
    odd, mended = (
        [{"role": "user", "content": text, "name": text}, call({text: text}), {**call(text), "content": text}]
        for text in ("a\ud800", "a\ufffd")
    )
    tools = [{"type": "function", "function": {"name": "f", "description": "\udfff"}}]
    ids = [tokenizer.apply_chat_template(chat, tools=tools, tokenize=True, return_dict=False) for chat in (odd, mended)]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("tokenizer", [LINES[0], LINES[3], OWN_TEMPLATE], ids=["k2.6", "k3", "own template"])
def test_what_never_ends_is_named(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenization_kimi, "_MOST_VALUES", 10_000)
    for conversation, options, named in ENDLESS:
        with pytest.raises(ConversationError, match=f"{named}.* more than 10,000 values"):
            tokenizer.apply_chat_template(conversation, **options)


@pytest.mark.parametrize("made", [lambda: "x" * 10_000, lambda: [0] * 1000], ids=["texts", "lists"])
def test_of_what_never_ends_little_is_kept(made: Callable[[], Any]) -> None:
    class Endless(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter(made, None)

    tracemalloc.start()
    try:
        assert tokenization_kimi._has_more_than(10_000, {"messages": [Endless()]})
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("way", ["resolve", "register", "load_mlx"])
@pytest.mark.parametrize(("model_id", "layout"), [("moonshotai/Kimi-K2.6", "broken"), ("moonshotai/Kimi-K3", "k3")])
def test_every_way_to_a_tokenizer(tmp_path: Path, way: str, model_id: str, layout: str) -> None:
    model_dir = write_layout(tmp_path / model_id.replace("/", "--"), layout)
    if layout == "k3":
        (model_dir / "chat_template.jinja").unlink()
    if way == "load_mlx":
        tokenizer = kt.load_mlx(model_id, model_dir)
    elif way == "register":
        kt.register()
        tokenizer = AutoTokenizer.from_pretrained(model_dir)
    else:
        tokenizer = AutoTokenizer.from_pretrained(kt.resolve(model_id, model_dir), trust_remote_code=True)
    for number, (message, field) in enumerate(MESSAGES):
        options = ({"tokenize": True}, {"tokenize": True, "return_dict": True}, {"tokenize": False})[number % 3]
        for conversation, where in (([HI, message], "Message 1"), ([[HI], [HI, message]], "Conversation 1: Message 1")):
            with pytest.raises(kt.KimiTokenizersError, match=f"(?s)^{where}.*{field}"):
                tokenizer.apply_chat_template(conversation, **options)
    for tools in TOOLS:
        with pytest.raises(kt.KimiTokenizersError, match="tools"):
            tokenizer.apply_chat_template([HI], tools=tools, tokenize=True)
        if layout == "k3":
            with pytest.raises(kt.KimiTokenizersError, match=r"^Message 1.*tools"):
                tokenizer.apply_chat_template([HI, {"role": "system", "content": "", "tools": tools}])


ANY = st.sampled_from(VALUES)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


@st.composite
def malformed(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    """A conversation or its options, with anything anywhere."""
    role = draw(st.sampled_from(("user", "assistant", "tool", "system")))
    message = {"role": role, "content": "x", draw(st.sampled_from(FIELDS)): draw(ANY)}
    part = {"type": "text", "text": "x", draw(st.sampled_from(("type", "text", "image_url"))): draw(ANY)}
    function = {"name": "f", "arguments": "{}", draw(st.sampled_from(("name", "arguments"))): draw(ANY)}
    schema = SCHEMA | {draw(st.sampled_from(("type", "properties", "required", "enum", "$ref", "anyOf"))): draw(ANY)}
    tool = {"type": "function", "function": {"name": "f", "description": draw(ANY), "parameters": schema}}
    chats: list[Any] = [draw(ANY), [HI, draw(ANY)], [[HI], draw(ANY)], [HI, message], [[HI], [message]], [HI]]
    chats += [[{"role": role, "content": [part]}], [HI, call(function=function)], [HI, call({"a": [draw(ANY)]})]]
    options = {draw(st.sampled_from(OPTIONS)): draw(ANY)} if draw(st.booleans()) else {"tools": [tool]}
    return draw(st.sampled_from(chats)), options if draw(st.booleans()) else {}


@pytest.mark.parametrize("tokenizer", [*LINES, OWN_TEMPLATE], ids=[*IDS, "own template"])
@settings(max_examples=60, deadline=None)
@given(case=malformed())
def test_it_is_rendered_or_there_is_a_typed_error(tokenizer: Any, case: tuple[Any, dict[str, Any]]) -> None:
    conversation, options = case
    with contextlib.suppress(KimiTokenizersError):
        tokenizer.apply_chat_template(conversation, tokenize=False, **options)


def test_what_fails_in_a_template_of_a_directory_names_the_message() -> None:
    with pytest.raises(ConversationError, match=r"Message 1 with its `extra` cannot be rendered: .* has no len"):
        OWN_TEMPLATE.apply_chat_template([HI, {**HI, "extra": 10**5000}])
    with pytest.raises(ConversationError, match=r"The conversation cannot be rendered: told to \\x1b"):
        OWN_TEMPLATE.apply_chat_template([HI, {"role": "fail", "content": "x"}])
    with pytest.raises(ConversationError, match="The function 'len' in `tools` cannot be described"):
        OWN_TEMPLATE.apply_chat_template([HI], tools=[len])
