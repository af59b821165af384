"""Model directories: where exo keeps them, what they say of themselves, and whether that fits an overlay (the guard).

It may import `catalogue`, `errors` and the standard library. It must never write to a model directory, and never open a
weight file. (Which large files the guard has passed is remembered in the per-user cache.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_tokenizers.lazy import lazily

if TYPE_CHECKING:
    from kimi_tokenizers.model_dirs.cache_dir import (
        CACHE_VARIABLE,
        RESOLVED,
        VERDICTS,
        cache_root,
        open_cache,
        own_folder,
    )
    from kimi_tokenizers.model_dirs.exo import (
        INDEX_SUFFIX,
        Completeness,
        completeness,
        folder_name,
        is_complete,
        model_id_of,
        models_dirs,
    )
    from kimi_tokenizers.model_dirs.exo_downloads import FileList, Step, exo_step, file_list, lies_in_exos_dirs
    from kimi_tokenizers.model_dirs.finding import (
        Found,
        Model,
        Place,
        find_models,
        nothing_in,
        places,
    )
    from kimi_tokenizers.model_dirs.fingerprint import prompt_fingerprint, token_fingerprint
    from kimi_tokenizers.model_dirs.folder import OWN_PREFIX, VIEW_MARKER, Folder
    from kimi_tokenizers.model_dirs.guard import check_vocabulary
    from kimi_tokenizers.model_dirs.identification import identify, what_is_missing
    from kimi_tokenizers.model_dirs.in_effect import ignored_keys, templates_of
    from kimi_tokenizers.model_dirs.locking import LOCK_SECONDS, only_process, wait_for
    from kimi_tokenizers.model_dirs.reading_python import Outline, assigned_text, is_compiled_from, outline, same_code
    from kimi_tokenizers.model_dirs.renumbering import RENUMBERED, is_renumbered, original, renumbered_in_words
    from kimi_tokenizers.model_dirs.shadowing import importable, uncompared
    from kimi_tokenizers.model_dirs.tokenizer_files import (
        CHAT_TEMPLATE,
        MORE_TEMPLATES,
        TOKENIZER_CONFIG,
        TOKENIZER_JSON_BYTES,
        TokenizerFiles,
        parse_json,
        read_small,
        read_text,
    )
    from kimi_tokenizers.model_dirs.verdicts import has_verdict, keep_verdict
    from kimi_tokenizers.model_dirs.walking import Walk, is_dir, is_file

__all__ = [
    "CACHE_VARIABLE",
    "CHAT_TEMPLATE",
    "INDEX_SUFFIX",
    "LOCK_SECONDS",
    "MORE_TEMPLATES",
    "OWN_PREFIX",
    "RENUMBERED",
    "RESOLVED",
    "TOKENIZER_CONFIG",
    "TOKENIZER_JSON_BYTES",
    "VERDICTS",
    "VIEW_MARKER",
    "Completeness",
    "FileList",
    "Folder",
    "Found",
    "Model",
    "Outline",
    "Place",
    "Step",
    "TokenizerFiles",
    "Walk",
    "assigned_text",
    "cache_root",
    "check_vocabulary",
    "completeness",
    "exo_step",
    "file_list",
    "find_models",
    "folder_name",
    "has_verdict",
    "identify",
    "ignored_keys",
    "importable",
    "is_compiled_from",
    "is_complete",
    "is_dir",
    "is_file",
    "is_renumbered",
    "keep_verdict",
    "lies_in_exos_dirs",
    "model_id_of",
    "models_dirs",
    "nothing_in",
    "only_process",
    "open_cache",
    "original",
    "outline",
    "own_folder",
    "parse_json",
    "places",
    "prompt_fingerprint",
    "read_small",
    "read_text",
    "renumbered_in_words",
    "same_code",
    "templates_of",
    "token_fingerprint",
    "uncompared",
    "wait_for",
    "what_is_missing",
]

__getattr__ = lazily(
    __name__,
    {
        "cache_dir": "CACHE_VARIABLE RESOLVED VERDICTS cache_root open_cache own_folder",
        "exo": "INDEX_SUFFIX Completeness completeness folder_name is_complete model_id_of models_dirs",
        "exo_downloads": "FileList Step exo_step file_list lies_in_exos_dirs",
        "finding": "Found Model Place find_models nothing_in places",
        "fingerprint": "prompt_fingerprint token_fingerprint",
        "folder": "OWN_PREFIX VIEW_MARKER Folder",
        "guard": "check_vocabulary",
        "identification": "identify what_is_missing",
        "in_effect": "ignored_keys templates_of",
        "locking": "LOCK_SECONDS only_process wait_for",
        "reading_python": "Outline assigned_text is_compiled_from outline same_code",
        "renumbering": "RENUMBERED is_renumbered original renumbered_in_words",
        "shadowing": "importable uncompared",
        "tokenizer_files": "CHAT_TEMPLATE MORE_TEMPLATES TOKENIZER_CONFIG TOKENIZER_JSON_BYTES TokenizerFiles "
        "parse_json read_small read_text",
        "verdicts": "has_verdict keep_verdict",
        "walking": "Walk is_dir is_file",
    },
)
