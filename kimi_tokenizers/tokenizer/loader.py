"""A tokenizer in this process: `load` for transformers' interface, `load_mlx` for mlx-lm's and exo's.

Offline, and the only Python that is executed is the packaged one.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from typing import TYPE_CHECKING, Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    chat_template,
    check_vocabulary,
    checked_dir,
    control_token_table,
    read_object,
)

if TYPE_CHECKING:
    from mlx_lm.tokenizer_utils import TokenizerWrapper

    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer

DEFAULT_MODEL = "moonshotai/Kimi-K2.6"

# exo passes `<|im_end|>`, which ends a turn, as the id to stop at; `[EOS]` is the tokenizer's own.
STOP_TOKEN_ID = 163586


@functools.lru_cache(maxsize=1)
def tokenizer_class() -> type[TikTokenTokenizer]:
    """The packaged `TikTokenTokenizer`, imported after its files have been verified. Raises OverlayError."""
    overlay = catalogue.overlays()["kimi-k2.6"]
    for name in ("tool_declaration_ts.py", "tokenization_kimi.py"):
        overlay.read(name)
    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer

    return TikTokenTokenizer


def load(model_id: str = DEFAULT_MODEL, model_dir: str | os.PathLike[str] | None = None) -> TikTokenTokenizer:
    """The tokenizer of a Kimi K2 model.

    Args:
        model_id: `owner/name` of the model or a conversion of it, e.g. "moonshotai/Kimi-K2.6".
        model_dir: a directory of that model, in whatever state. Its own chat template and control-token table are
            honoured; nothing in it is executed or written to.

    Raises:
        ModelIdError, UnknownModelError: no overlay serves the id.
        ModelDirError: `model_dir` cannot be read.
        TokenizerConfigError: its `tokenizer_config.json` is not what such a file is.
        VocabularyMismatchError: its own files say that it has another vocabulary.

    >>> load("moonshotai/Kimi-K2.6").encode("Hello, world!")
    [19180, 11, 2695, 0]
    """
    return _load(catalogue.get(model_id), model_id, model_dir)


def _load(overlay: Overlay, model_id: str, model_dir: str | os.PathLike[str] | None) -> TikTokenTokenizer:
    config: dict[str, Any] = json.loads(overlay.read(TOKENIZER_CONFIG))
    table = config["added_tokens_decoder"]
    template = None
    if model_dir is not None:
        path = checked_dir(model_dir)
        check_vocabulary(overlay, path)
        config_path = path / TOKENIZER_CONFIG
        table = control_token_table(read_object(config_path), config_path) or table
        template = chat_template(path)
    if template is None and CHAT_TEMPLATE in overlay.files:
        template = overlay.read(CHAT_TEMPLATE).decode("utf-8")
    new = tokenizer_class()
    from kimi_tokenizers.overlays.common.tokenization_kimi import VocabFileError
    from kimi_tokenizers.tokenizer.engine import accelerated

    with overlay.files["tiktoken.model"].path() as vocab_file:
        try:
            tokenizer = new(
                vocab_file,  # verified by the class, in the same read
                added_tokens_decoder=table,
                line=overlay.description(),
                chat_template=template,
                model_max_length=config["model_max_length"],
                name_or_path=model_id,
            )
        except VocabFileError:
            overlay.read("tiktoken.model")  # raises OverlayError, which says what to do about a packaged file
            raise
    tokenizer.model = accelerated(tokenizer.model)
    return tokenizer


def load_mlx(model_id: str = DEFAULT_MODEL, model_dir: str | os.PathLike[str] | None = None) -> TokenizerWrapper:
    """The tokenizer in mlx-lm's `TokenizerWrapper`, as exo builds it: stop ids, tool-call marks, tool
    parser; and with a streaming detokenizer of linear cost.

    Needs mlx-lm (`pip install 'kimi-tokenizers[mlx]'`). Arguments and errors are those of `load`.
    """
    try:
        from mlx_lm.tokenizer_utils import TokenizerWrapper
    except ImportError as error:
        raise ImportError(
            f"load_mlx needs mlx-lm, and importing it failed ({error}). Run: pip install 'kimi-tokenizers[mlx]'"
        ) from error
    if "tool_parser" not in inspect.signature(TokenizerWrapper.__init__).parameters:
        raise ImportError("load_mlx needs mlx-lm 0.31 or newer. Run: pip install 'kimi-tokenizers[mlx]'")
    from kimi_tokenizers.tokenizer.detokenizer import KimiStreamingDetokenizer
    from kimi_tokenizers.tokenizer.tool_calls import END, START, parse_tool_call

    tokenizer = load(model_id, model_dir)
    calls = {"tool_call_start": START, "tool_call_end": END, "tool_parser": parse_tool_call}
    if not {START, END} <= tokenizer.special_tokens.keys():  # a line without tools, as Moonlight
        calls = {}
    return TokenizerWrapper(tokenizer, KimiStreamingDetokenizer, eos_token_ids=[STOP_TOKEN_ID], **calls)
