"""`register`: transformers' `AutoTokenizer` finds the packaged tokenizer for Kimi directories."""

from __future__ import annotations

import functools
import os
import warnings
from typing import Any

from kimi_tokenizers import resolver
from kimi_tokenizers.errors import VocabularyMismatchError
from kimi_tokenizers.model_dirs import TokenizerFiles, identify
from kimi_tokenizers.tokenizer.conversion import teach_transformers
from kimi_tokenizers.tokenizer.loader import tokenizer_class

# Arguments of AutoTokenizer.from_pretrained that say which class to use or where to download from.
_NOT_FOR_THE_CLASS = ("config", "trust_remote_code", "code_revision", "use_fast", "tokenizer_type", "_from_auto")


def register() -> None:
    """Make `AutoTokenizer.from_pretrained(directory)` return `TikTokenTokenizer` for a Kimi model directory or view.

    It works without `trust_remote_code` and executes nothing out of the directory, whichever tokenizer files lie there.
    Everything else (other models, model ids on the hub) is left to transformers. Calling it again changes nothing.

    >>> register()
    >>> type(AutoTokenizer.from_pretrained("models/moonshotai--Kimi-K2.6")).__name__
    'TikTokenTokenizer'
    """
    from transformers import AutoTokenizer

    teach_transformers()
    original = AutoTokenizer.from_pretrained.__func__
    if hasattr(original, "kimi_tokenizers_original"):
        return

    @functools.wraps(original)
    def from_pretrained(cls: Any, pretrained_model_name_or_path: Any, *inputs: Any, **kwargs: Any) -> Any:
        tokenizer = _from_directory(pretrained_model_name_or_path, *inputs, **kwargs)
        if tokenizer is None:
            tokenizer = original(cls, pretrained_model_name_or_path, *inputs, **kwargs)
        return tokenizer

    from_pretrained.kimi_tokenizers_original = original  # type: ignore[attr-defined]
    AutoTokenizer.from_pretrained = classmethod(from_pretrained)


def _from_directory(name_or_path: Any, *inputs: Any, **kwargs: Any) -> Any:
    """The packaged tokenizer for a Kimi directory; None for anything else."""
    if not isinstance(name_or_path, (str, os.PathLike)) or not os.path.isdir(name_or_path) or kwargs.get("subfolder"):
        return None
    try:
        with TokenizerFiles(name_or_path) as directory:
            overlay = identify(directory)
            if overlay is None:
                return None
            front = resolver.entry_of(overlay, directory)
    except VocabularyMismatchError as error:
        warnings.warn(f"kimi-tokenizers leaves this directory to transformers: {error}", RuntimeWarning, stacklevel=4)
        return None
    for name in _NOT_FOR_THE_CLASS:
        kwargs.pop(name, None)
    tokenizer = tokenizer_class(overlay.line).from_pretrained(front, *inputs, **kwargs)
    tokenizer.name_or_path = str(name_or_path)
    return tokenizer
