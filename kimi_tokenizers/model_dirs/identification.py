"""Which overlay a model directory needs when nobody says which model it is: by its name, else by what it holds."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs.exo import model_id_of
from kimi_tokenizers.model_dirs.renumbering import original
from kimi_tokenizers.model_dirs.tokenizer_files import CHAT_TEMPLATE, TOKENIZER_CONFIG, TokenizerFiles, parse_json

# What the modules of tokenizers are called that are executed out of a model directory.
_PYTHON = "tokenization_"


def identify(directory: TokenizerFiles) -> Overlay | None:
    """The overlay for a directory whose model id is not given; None where nothing says that it is a Kimi model.

    What it goes by: the folder's name (exo's `org--name`, Hugging Face's `models--org--name/snapshots/…`, or the bare
    model name), the overlay's own `kimi_line.json`, the tokenizer and model that its configuration names, and the rank
    table together with the model type.
    """
    path = Path(os.path.abspath(directory.path))
    for folder in (
        path.name,
        path.parent.parent.name.removeprefix("models--") if path.parent.name == "snapshots" else "",
    ):
        overlay = catalogue.find(model_id_of(folder) or f"local/{folder}")
        if overlay is not None:
            return overlay
    try:
        line = (directory.object("kimi_line.json") or {}).get("line")
        if line in catalogue.LINES:
            return catalogue.overlays()[str(line)]
        return _identify_by_contents(directory)
    except KimiTokenizersError:
        return None  # damaged files do not say anything


def _identify_by_contents(directory: TokenizerFiles) -> Overlay | None:
    config = directory.object(TOKENIZER_CONFIG) or {}
    named = json.dumps([config.get("auto_map"), config.get("tokenizer_class")])
    table = directory.control_token_table()
    allowed = _of_its_type(directory)
    # Those whose upstream models have this type. Moonlight has one of DeepSeek's, and conversions of K2 have it, too.
    own = [overlay for overlay, sure in allowed if sure and _has_type(directory, overlay.own_type or _types(overlay))]
    own = own if _is_called_after_kimi(directory) else []
    if not table and own and all(overlay.control_tokens() == own[0].control_tokens() for overlay in own):
        return max(own, key=lambda overlay: _rank(overlay, directory))  # no other line has this type
    candidates = [
        overlay
        for overlay, sure in allowed
        if sure or any(name[:-3] in named for name in overlay.always_ours if name.startswith(_PYTHON))
    ]
    if not table and candidates:
        table = _control_tokens_of_tokenizer_json(directory)
    candidates = [overlay for overlay in candidates if _has_control_tokens(overlay, table)]
    return max(candidates, key=lambda overlay: _rank(overlay, directory), default=None)


def _rank(overlay: Overlay, directory: TokenizerFiles) -> tuple[int, bool, bool]:
    """Of the lines that a directory can be of, it is that of the highest: by names, template as published, default."""
    template = directory.read(CHAT_TEMPLATE)
    published = template is not None and hashlib.sha256(template).hexdigest() in overlay.known_sha256(CHAT_TEMPLATE)
    return len(overlay.control_tokens()), published, overlay.default


def _has_control_tokens(overlay: Overlay, table: Mapping[str, Any]) -> bool:
    """Whether a table names all that the line's does, whichever of its two numberings it has."""
    names = {key: entry.get("content") for key, entry in table.items() if isinstance(entry, dict)}
    ours = overlay.control_tokens()
    return {(str(index), name) for index, name in ours.items()} <= names.items() or original(overlay, table) == ours


def _control_tokens_of_tokenizer_json(directory: TokenizerFiles) -> dict[str, Any]:
    """Its added tokens as a `tokenizer_config.json` has them; empty where there are none. Takes tenths of a second."""
    with directory.opened("tokenizer.json") as file:
        try:
            value = {} if file is None else parse_json(file.read())
            return {str(entry["id"]): entry for entry in value.get("added_tokens") or ()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}  # the guard says what is wrong with it


def _of_its_type(directory: TokenizerFiles) -> list[tuple[Overlay, bool]]:
    """The overlays that the model type allows, and whether it, or the rank table, says that this is a Kimi model.

    Others have the architectures of DeepSeek; one that is called after Kimi is Moonshot's.
    """
    allowed = [overlay for overlay in catalogue.overlays().values() if _has_type(directory, _types(overlay))]
    says_so = _is_called_after_kimi(directory) or bool(allowed and _has_the_rank_table(directory, allowed[0]))
    return [(overlay, says_so) for overlay in allowed]


def _types(overlay: Overlay) -> str:
    return overlay.model_types[0]


def _model_type(directory: TokenizerFiles) -> Any:
    return (directory.object("config.json") or {}).get("model_type")


def _is_called_after_kimi(directory: TokenizerFiles) -> bool:
    return "kimi" in str(_model_type(directory)).lower()


def _has_type(directory: TokenizerFiles, pattern: str) -> bool:
    """Whether the model type is such a one; where there is none, it may be any."""
    model_type = _model_type(directory)
    return model_type is None or re.fullmatch(pattern, str(model_type), re.IGNORECASE) is not None


def _has_the_rank_table(directory: TokenizerFiles, overlay: Overlay) -> bool:
    ours = overlay.files["tiktoken.model"]
    with directory.opened(ours.name) as file:
        if file is None or file.status.st_size != ours.size:
            return False
        return hashlib.sha256(file.read()).hexdigest() == ours.sha256


def _has_no_tokenizer(directory: TokenizerFiles) -> bool:
    """Whether there is neither a class of its own nor a `tokenizer.json`, so that transformers makes something up."""
    named = (directory.object(TOKENIZER_CONFIG) or {}).get("auto_map")
    return not named and "tokenizer.json" not in directory.names


def what_is_missing(directory: TokenizerFiles) -> str | None:
    """Why `identify` cannot tell the line of a directory that does hold a Kimi model; None for any other directory."""
    try:
        kin = [overlay for overlay, says_so in _of_its_type(directory) if says_so]
        if not kin and not (_is_called_after_kimi(directory) and _has_no_tokenizer(directory)):
            return None
        any_line = next(iter(catalogue.overlays().values()))
        if _model_type(directory) is None or not _has_the_rank_table(directory, any_line):
            return None
        table = directory.control_token_table()
    except KimiTokenizersError:
        return None  # damaged files do not say anything
    lines = ", ".join(overlay.line for overlay in kin)
    kin_in_words = f"as models of the lines {lines} have" if kin else "which no line has that is known here"
    found = (
        f"the control tokens in its {TOKENIZER_CONFIG} are those of none of them"
        if table
        else f"it has no {TOKENIZER_CONFIG} with an `added_tokens_decoder` that would tell them apart"
    )
    return (
        f"{str(directory.path)!r} holds the rank table of Kimi and a config.json with model_type "
        f"{_model_type(directory)!r}, {kin_in_words}, and {found}. Put the model's own "
        f"{TOKENIZER_CONFIG} there, give the folder the model's name (as in 'Kimi-K2.6-4bit'), or load it with "
        "kimi_tokenizers.load(model_id, model_dir)."
    )
