"""`register`: transformers' `AutoTokenizer` finds the packaged tokenizer for Kimi directories."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue, resolver
from kimi_tokenizers.errors import UnknownModelError, VocabularyMismatchError
from kimi_tokenizers.model_dirs import TokenizerFiles, identify, what_is_missing
from kimi_tokenizers.tokenizer.conversion import teach_transformers
from kimi_tokenizers.tokenizer.loader import tokenizer_class

# Arguments of AutoTokenizer.from_pretrained that say which class to use or where to download from.
_NOT_FOR_THE_CLASS = ("config", "trust_remote_code", "code_revision", "use_fast", "tokenizer_type", "_from_auto")


def register() -> None:
    """Make `AutoTokenizer.from_pretrained(directory)` return `TikTokenTokenizer` for a Kimi model directory or view.

    It works without `trust_remote_code` and executes nothing out of the directory, whichever tokenizer files lie there.
    So it does for the id of a Kimi model on the hub, whose small files transformers takes from its cache or downloads.
    Everything else is left to transformers. Calling it again changes nothing. `AutoTokenizer` then raises
    UnknownModelError for a directory with Kimi's rank table and model type that do not say which line it is.

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
        tokenizer = _ours(pretrained_model_name_or_path, *inputs, **kwargs)
        if tokenizer is None:
            tokenizer = original(cls, pretrained_model_name_or_path, *inputs, **kwargs)
        return tokenizer

    from_pretrained.kimi_tokenizers_original = original  # type: ignore[attr-defined]
    AutoTokenizer.from_pretrained = classmethod(from_pretrained)


def _ours(name_or_path: Any, *inputs: Any, **kwargs: Any) -> Any:
    """The packaged tokenizer for a Kimi directory, or the id of a Kimi model on the hub; None for anything else."""
    if not isinstance(name_or_path, (str, os.PathLike)) or kwargs.get("subfolder"):
        return None
    path = name_or_path if os.path.isdir(name_or_path) else _snapshot(name_or_path, kwargs)
    if path is None:
        return None
    try:
        with TokenizerFiles(path) as directory:
            overlay = identify(directory)
            if overlay is None:
                missing = what_is_missing(directory)
                if missing is not None:
                    raise UnknownModelError(missing)
                return None
            saved = directory.saved_tokens()
            front = resolver.entry_of(overlay, directory, added=saved.get("saved_tokens", {}))
    except VocabularyMismatchError as error:
        warnings.warn(f"kimi-tokenizers leaves this directory to transformers: {error}", RuntimeWarning, stacklevel=4)
        return None
    for name in _NOT_FOR_THE_CLASS:
        kwargs.pop(name, None)
    tokenizer = tokenizer_class(overlay.line).from_pretrained(front, *inputs, saved=saved, **kwargs)
    tokenizer.name_or_path = str(name_or_path)
    return tokenizer


def _snapshot(model_id: Any, kwargs: Mapping[str, Any]) -> Path | None:
    """The folder of Hugging Face's cache with what the guard looks at, by transformers' own rules: offline or online.

    None where the model is none of ours, or nothing can be had: then transformers says why.
    """
    if not isinstance(model_id, str) or catalogue.find(model_id) is None:
        return None
    from transformers.utils import cached_file

    wanted = {name: kwargs[name] for name in _OF_THE_HUB if name in kwargs}
    files: list[str | None] = []
    for name in _LOOKED_AT:
        try:
            files.append(cached_file(model_id, name, _raise_exceptions_for_missing_entries=False, **wanted))
        except OSError:
            return None
        if name == "tiktoken.model" and files[-1] is not None:
            break  # a tokenizer.json, 20 MB, would say nothing more
    return next((Path(file).parent for file in files if file is not None), None)


# What says which model it is, and what the guard compares, in this order.
_LOOKED_AT = (
    *("config.json", "tokenizer_config.json", "kimi_line.json", "chat_template.jinja"),
    *("tiktoken.model", "tokenizer.json"),
)
_OF_THE_HUB = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "token", "use_auth_token")
