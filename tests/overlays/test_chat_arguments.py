"""Arguments of `apply_chat_template` mean what they say, or are refused."""

from __future__ import annotations

from typing import Any

import pytest

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError

CHAT = [{"role": "user", "content": "Hi"}]
YES, NO = {"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}


@pytest.fixture(scope="module", params=["k2.6", "k2.6, plain text", "k3"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    model = "moonshotai/Kimi-K3" if request.param == "k3" else "moonshotai/Kimi-K2.6"
    return kt.load(model, text_is_plain="plain" in request.param)


@pytest.mark.parametrize(
    ("arguments", "thinks"),
    [
        ({}, True),
        ({"thinking": YES}, True),
        ({"thinking": 1}, True),
        ({"thinking": True, "enable_thinking": YES}, True),
        ({"thinking": NO}, False),
        ({"thinking": 0}, False),
        ({"enable_thinking": NO}, False),
        ({"thinking": True, "enable_thinking": False}, False),
        ({"thinking": NO, "enable_thinking": True}, False),
    ],
)
def test_thinking(arguments: dict[str, Any], thinks: bool, tokenizer: Any) -> None:
    expected = tokenizer.apply_chat_template(CHAT, thinking=thinks)
    assert expected != tokenizer.apply_chat_template(CHAT, thinking=not thinks)
    assert tokenizer.apply_chat_template(CHAT, **arguments) == expected


@pytest.mark.parametrize("name", ["thinking", "enable_thinking"])
@pytest.mark.parametrize("value", ["disabled", "false", {}, {"type": "auto"}, {"type": []}, 2, [False]])
def test_thinking_that_says_neither_yes_nor_no(name: str, value: object, tokenizer: Any) -> None:
    with pytest.raises(ConversationError, match=f"`{name}` is"):
        tokenizer.apply_chat_template(CHAT, **{name: value})


@pytest.mark.parametrize("return_dict", [True, False])
def test_return_dict_has_no_effect_on_text(return_dict: bool, tokenizer: Any) -> None:
    text = tokenizer.apply_chat_template(CHAT)
    assert tokenizer.apply_chat_template(CHAT, tokenize=False, return_dict=return_dict) == text
    ids = tokenizer.apply_chat_template(CHAT, tokenize=True, return_dict=return_dict)
    assert list(ids["input_ids"] if return_dict else ids) == tokenizer.encode(text)


@pytest.mark.parametrize("content", [5, 0, 1.5, True, [5], [{"type": "text", "text": 7}]])
def test_content_that_is_a_number_is_refused(content: object, tokenizer: Any) -> None:
    with pytest.raises(ConversationError):
        tokenizer.apply_chat_template([{"role": "user", "content": content}])
