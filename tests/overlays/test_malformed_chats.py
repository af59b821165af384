"""A conversation in which something is malformed: one typed error that names the message and the field, for every
line and on every way to a prompt; never a traceback of jinja2 or json, and never a prompt that lacks something."""

from __future__ import annotations

from typing import Any

import pytest

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError

HI = {"role": "user", "content": "hi"}
ITSELF: dict[str, Any] = {}
ITSELF["a"] = ITSELF
PART_OF_ITSELF: list[Any] = []
PART_OF_ITSELF.append(PART_OF_ITSELF)


class Own:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


def deep(levels: int = 10_000) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def call(arguments: Any = "{}", **more: Any) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "functions.f:0", "function": function, **more}]}


MESSAGES: list[tuple[Any, str]] = [
    *((value, "role") for value in (None, 5, 10**5000, True, "text", b"x", Own(), [], {1}, {}, {"content": "x"})),
    *(({"role": role, "content": "x"}, "role") for role in (None, "", 5, b"user", ["user"], Own())),
    *(
        ({"role": "user", "content": value}, "content")
        for value in (
            0,
            5,
            1.5,
            10**5000,
            float("nan"),
            True,
            False,
            b"x",
            {"text": "x"},
            {"x"},
            iter("x"),
            Own(),
            ITSELF,
        )
    ),
    *(
        ({"role": "user", "content": ["fine", part][1:]}, "content")
        for part in (None, 5, "text", ["x"], Own(), {}, {"type": "text"}, {"type": 5, "text": "x"}, {"type": ["image"]})
    ),
    ({"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": 5}]}, "content"),
    ({"role": "user", "content": [{"type": "text", "text": None}]}, "text"),
    ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "text"),
    ({"role": "user", "content": PART_OF_ITSELF}, "content"),
    *(({"role": "user", "content": "x", "name": value}, "name") for value in (5, ["a"], {}, Own())),
    *(({"role": "assistant", key: 5}, key) for key in ("reasoning_content", "reasoning")),
    *(({"role": "tool", "name": "f", "tool_call_id": value}, "tool_call_id") for value in (["a"], True, {}, Own())),
    *(({"role": "assistant", "tool_calls": value}, "tool_calls") for value in (5, "", "x", {}, {"a": 1}, True, Own())),
    *(
        ({"role": "assistant", "tool_calls": [value]}, "tool")
        for value in (None, 5, "f", [], Own(), {}, {"id": "functions.f:0"}, {"name": "f", "arguments": "{}"})
    ),
    *((call(function=value), "function") for value in (None, 5, "f", [], Own())),
    *((call(function=value), "name") for value in ({}, {"name": None}, {"name": 5}, {"name": ""}, {"name": ["f"]})),
    (call(id=["a"]), "id"),
    *(
        (call(value), "arguments")
        for value in (5, 1.5, True, b"{}", {1}, [1], (), Own(), deep(), ITSELF, {"a": ITSELF})
    ),
    *(
        (call({"a": value}), "arguments")
        for value in (float("nan"), [float("-inf")], 10**5000, {5: 1}, {None: 1}, b"x", {1}, 5j, Own(), deep())
    ),
    (call({5: 1}), "arguments"),
    (call({True: 1}), "arguments"),
]
LINES = [
    kt.load("moonshotai/Kimi-K2.6"),
    kt.load("moonshotai/Kimi-K2-Instruct"),
    kt.load("moonshotai/Kimi-K2-Thinking"),
    kt.load("moonshotai/Kimi-K3"),
    kt.load("moonshotai/Kimi-K2.6", text_is_plain=True),
]


@pytest.mark.parametrize("tokenizer", LINES, ids=["k2.6", "instruct", "thinking", "k3", "plain"])
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


@pytest.mark.parametrize("tokenizer", LINES, ids=["k2.6", "instruct", "thinking", "k3", "plain"])
def test_a_batch_of_other_things(tokenizer: Any) -> None:
    for value in ([[HI], None], [[HI], "x"], [[HI], HI], [(HI,), iter([HI])]):
        with pytest.raises(ConversationError, match=r"Conversation 1.* list of messages"):
            tokenizer.apply_chat_template(value)


@pytest.mark.parametrize("tokenizer", LINES, ids=["k2.6", "instruct", "thinking", "k3", "plain"])
def test_a_lone_surrogate_is_what_tiktoken_makes_of_it(tokenizer: Any) -> None:
    """It is half a character that a client has cut, and no reason to lose a conversation."""
    odd, mended = (
        [{"role": "user", "content": text, "name": text}, call({text: text}), {**call(text), "content": text}]
        for text in ("a\ud800", "a\ufffd")
    )
    tools = [{"type": "function", "function": {"name": "f", "description": "\udfff"}}]
    ids = [tokenizer.apply_chat_template(chat, tools=tools, tokenize=True, return_dict=False) for chat in (odd, mended)]
    assert ids[0] == ids[1]
