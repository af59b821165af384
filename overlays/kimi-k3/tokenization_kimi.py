"""The tokenizer of Kimi-K3: Kimi's common one, with K3's control tokens and chat encoder.

transformers executes this file out of a model directory (`trust_remote_code=True`), where the common tokenizer lies
beside it as `kimi_tiktoken.py`. Up to 5.6 it copies only what this very file imports, so every file is named here.

Upstream's encoder has another name than ours: where a download puts upstream's
`tokenization_kimi.py` back, it finds its own encoder and not half of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

try:
    from .kimi_tiktoken import ConversationError, Prompt, check_conversation, tool_schema, typed_errors, wanted_thinking
    from .kimi_tiktoken import TikTokenTokenizer as CommonTokenizer
    from .tool_declaration_ts import deep_sort as _for_kimi_tiktoken  # noqa: F401
except ImportError:  # inside the package, where that file has its own name
    from kimi_tokenizers.overlays.common.tokenization_kimi import (
        ConversationError,
        Prompt,
        check_conversation,
        tool_schema,
        typed_errors,
        wanted_thinking,
    )
    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer as CommonTokenizer

from .kimi_k3_chat import render
from .kimi_k3_messages import opened as _for_kimi_k3_chat  # noqa: F401
from .kimi_k3_values import short as _for_kimi_k3_messages  # noqa: F401


class TikTokenTokenizer(CommonTokenizer):
    """The tokenizer of Kimi-K3.

    >>> tokenizer = TikTokenTokenizer.from_pretrained(model_dir)
    >>> prompt = tokenizer.apply_chat_template([{"role": "user", "content": "Hi <|sep|>"}])
    >>> tokenizer.encode(prompt).count(163589) == prompt.count("<|sep|>") - 1  # what the user wrote is text
    True
    """

    own_line = "kimi-k3"
    python_files = (
        *("tokenization_kimi.py", "kimi_tiktoken.py", "tool_declaration_ts.py"),
        *("kimi_k3_chat.py", "kimi_k3_messages.py", "kimi_k3_values.py"),
    )
    _own_steps = True

    def __init__(self, vocab_file: Any, *arguments: Any, chat_template: Any = None, **kwargs: Any) -> None:
        """As the common one, but a chat template that lies in the model directory is left alone.

        A template gives text in which a user's words and markup look alike; and mlx-lm would choose the parser of tool
        calls by what is written in it.
        """
        super().__init__(vocab_file, *arguments, **kwargs)

    @typed_errors  # type: ignore[untyped-decorator]  # to mypy it comes from a file that is not here
    def apply_chat_template(
        self,
        conversation: Any,
        tools: Any = None,
        tokenize: bool = False,
        add_generation_prompt: bool = True,
        thinking: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Render a conversation as the model's prompt.

        The text is a `Prompt`, a `str` that remembers what in it is markup: handed to `encode`, or to `.model.encode`,
        it gives the ids that `tokenize=True` gives.

        Args:
            conversation: messages with `role` and `content`, or a batch of such lists.
            tools: JSON schemas of the functions that the model may call (or Python functions, which are described).
            tokenize: return ids instead of text: with `padding`, `truncation`, `max_length`, `return_tensors`,
                `return_dict` and `tokenizer_kwargs` as for `PreTrainedTokenizer.apply_chat_template`.
            thinking: let the model think; a bool, or an object whose `type` is "enabled" or "disabled", as in requests.
                mlx-lm and exo also call it `enable_thinking`: either, when false, wins.
            thinking_effort: "low", "high" or "max"; None says nothing of it.
            tool_choice: "required" or "none" tells the model so; anything else says nothing.
            response_format: "json_object", "json_schema", or an object with such a `type`.
            response_schema: the schema for "json_schema"; by default the one inside `response_format`.
            image_prompts: for each image what stands for it, with its control tokens; without them a placeholder does.
            continue_final_message: end the prompt with the content of the last message.
            return_assistant_tokens_mask: with `tokenize=True`, add `assistant_masks`: 1 for what the model writes of
                assistant messages, which begins where the generation prompt ends and includes `<|end_of_msg|>`. 0 is
                everything else, and an empty think block, which stands for reasoning that there is none of.
            **kwargs: others have no effect.

        Raises:
            ConversationError: no prompt can be made of it; the message says of which message that is.
        """
        options = {
            "tools": [tool_schema(tool) for tool in tools] if isinstance(tools, (list, tuple)) else tools,
            "add_generation_prompt": add_generation_prompt,
            "thinking": thinking is not None and wanted_thinking(thinking, kwargs) is not False,
            **{name: kwargs[name] for name in _OPTIONS if name in kwargs},
        }
        if kwargs.get("chat_template") is not None:
            raise ConversationError("Kimi-K3 has no chat template: leave `chat_template` out to render its own format.")
        batch, is_batch = _batch(conversation)
        if is_batch and options.get("image_prompts") is not None:
            raise ConversationError("image_prompts cannot be given with a batch. Render one conversation at a time.")
        prompts = [_render(messages, options, f"Conversation {n}: " * is_batch) for n, messages in enumerate(batch)]
        return self._prompts_out(prompts, is_batch, None, tokenize, kwargs)


_OPTIONS = (
    "continue_final_message",
    "image_prompts",
    "response_format",
    "response_schema",
    "thinking_effort",
    "tool_choice",
)


def _batch(conversation: Any) -> tuple[list[Any], bool]:
    """The conversations, and whether they are a batch."""
    if not isinstance(conversation, (list, tuple)):
        raise ConversationError(f"A conversation must be a list of messages, not a {type(conversation).__name__}.")
    is_batch = bool(conversation) and isinstance(conversation[0], (list, tuple))
    return (list(conversation), True) if is_batch else ([conversation], False)


def _render(messages: Any, options: Mapping[str, Any], where: str) -> Prompt:
    try:
        if not isinstance(messages, (list, tuple)):
            raise ConversationError(f"It must be a list of messages, not a {type(messages).__name__}.")
        prompt = render(messages, **options)
        check_conversation(messages)  # what the encoder passes over
        return prompt
    except ConversationError as error:
        if where:
            raise ConversationError(f"{where}{error}") from error
        raise
