"""A tokenizer in this process: `load` for transformers' interface, `load_mlx` for mlx-lm's and exo's.

Offline, and the only Python that is executed is the packaged one.
"""

from __future__ import annotations

import functools
import inspect
import os
from importlib import import_module
from typing import TYPE_CHECKING

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import TOKENIZER_CONFIG, TokenizerFiles, check_vocabulary, parse_json, templates_of
from kimi_tokenizers.tokenizer.conversion import teach_transformers
from kimi_tokenizers.tokenizer.encodings import DEFAULT_MODEL

if TYPE_CHECKING:
    from mlx_lm.tokenizer_utils import TokenizerWrapper

    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer

# `<|im_end|>` (in K3 `<|end_of_msg|>`), which ends a turn: exo passes it as the id to stop at; `[EOS]` is the
# tokenizer's own.
STOP_TOKEN_ID = 163586


@functools.lru_cache(maxsize=16)
def tokenizer_class(line: str = "kimi-k2.6") -> type[TikTokenTokenizer]:
    """The packaged `TikTokenTokenizer` of a line; see `verified_python`. Raises OverlayError."""
    overlay = catalogue.overlays()[line]
    module = overlay.files["tokenization_kimi.py"].source.removesuffix(".py").replace("/", ".")
    found: type[TikTokenTokenizer] = import_module(f"kimi_tokenizers.overlays.{module}").TikTokenTokenizer
    found.packaged = staticmethod(overlay.read)  # what `save_pretrained` writes, verified
    return found


def load(
    model_id: str = DEFAULT_MODEL,
    model_dir: str | os.PathLike[str] | None = None,
    *,
    text_is_plain: bool = False,
) -> TikTokenTokenizer:
    """The tokenizer of a Kimi model.

    Args:
        model_id: `owner/name` of the model or a conversion of it, e.g. "moonshotai/Kimi-K2.6".
        model_dir: a directory of that model, in whatever state, or of a saved tokenizer. Its own chat template, control
            tokens and saved added tokens are honoured; nothing in it is executed or written to.
        text_is_plain: control tokens that are written in messages, tools and names are plain text in a prompt, as they
            always are with Kimi-K3. By default Kimi K2 takes them for control tokens, as upstream does.

    Raises:
        ModelIdError, UnknownModelError: no overlay serves the id.
        ModelDirError: `model_dir` cannot be read.
        TokenizerConfigError: its `tokenizer_config.json` is not what such a file is.
        VocabularyMismatchError: its own files say that it has another vocabulary.

    >>> load("moonshotai/Kimi-K2.6").encode("Hello, world!")
    [19180, 11, 2695, 0]
    """
    return _load(catalogue.get(model_id), model_id, model_dir, text_is_plain)


def _load(
    overlay: Overlay, model_id: str, model_dir: str | os.PathLike[str] | None, text_is_plain: bool
) -> TikTokenTokenizer:
    config = overlay.read(TOKENIZER_CONFIG)
    templates, saved = templates_of(overlay, None), {}
    if model_dir is not None:
        with TokenizerFiles(model_dir) as directory:
            saved = directory.saved_tokens()
            check_vocabulary(overlay, directory, added=saved.get("saved_tokens", {}))
            config = resolver.front(overlay, directory)[TOKENIZER_CONFIG].read()
            templates = templates_of(overlay, directory)
    new = tokenizer_class(overlay.line)
    if text_is_plain and not overlay.encoder:
        from kimi_tokenizers.tokenizer.plain_text import TikTokenTokenizer as new  # noqa: N813
    from kimi_tokenizers.overlays.common.tokenization_kimi import VocabFileError

    with overlay.files["tiktoken.model"].path() as vocab_file:
        try:
            tokenizer: TikTokenTokenizer = new.configured(
                vocab_file,  # verified by the class, in the same read
                parse_json(config),
                templates["default"] if templates.keys() == {"default"} else templates or None,
                line=overlay.description(),
                saved=saved,
                name_or_path=model_id,
            )
        except VocabFileError:
            overlay.read("tiktoken.model")  # raises OverlayError, which says what to do about a packaged file
            raise
    teach_transformers()
    return tokenizer


def load_mlx(
    model_id: str = DEFAULT_MODEL,
    model_dir: str | os.PathLike[str] | None = None,
    *,
    text_is_plain: bool = False,
) -> TokenizerWrapper:
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
    from kimi_tokenizers.tokenizer import tool_calls, tool_calls_k3
    from kimi_tokenizers.tokenizer.detokenizer import KimiStreamingDetokenizer

    tokenizer = load(model_id, model_dir, text_is_plain=text_is_plain)
    calls = tool_calls_k3 if catalogue.get(model_id).encoder else tool_calls
    marks = {"tool_call_start": calls.START, "tool_call_end": calls.END, "tool_parser": calls.parse_tool_call}
    if calls is tool_calls and not {calls.START, calls.END} <= tokenizer.special_tokens.keys():
        marks = {}  # a line without tools, as Moonlight
    return TokenizerWrapper(tokenizer, KimiStreamingDetokenizer, eos_token_ids=[STOP_TOKEN_ID], **marks)
