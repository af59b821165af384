"""Which overlay a model directory needs when nobody says which model it is: by its name, else by what it holds."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs.exo import model_id_of
from kimi_tokenizers.model_dirs.tokenizer_files import TOKENIZER_CONFIG, TokenizerFiles

# What the modules of tokenizers are called that are executed out of a model directory.
_PYTHON = "tokenization_"


def identify(directory: TokenizerFiles) -> Overlay | None:
    """The overlay for a directory whose model id is not given; None where nothing says that it is a Kimi model.

    What it goes by: the folder's name (exo's `org--name`, Hugging Face's `models--org--name/snapshots/…`, or the bare
    model name), the overlay's own `kimi_line.json`, the tokenizer and model that its configuration names.
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
    model_type = (directory.object("config.json") or {}).get("model_type")
    named = json.dumps([config.get("auto_map"), config.get("tokenizer_class")])
    table = directory.control_token_table()
    names = {(key, entry.get("content")) for key, entry in table.items() if isinstance(entry, dict)}
    candidates = []
    of_its_name = []
    for overlay in catalogue.overlays().values():
        of_its_type = model_type is not None and re.fullmatch(overlay.model_types[0], str(model_type), re.IGNORECASE)
        if model_type is not None and not of_its_type:
            continue
        # Others have the architectures of DeepSeek; one that is called after Kimi is Moonshot's.
        says_so = of_its_type and "kimi" in str(model_type).lower()
        of_its_name += [overlay] if says_so else []
        if not says_so and not any(name[:-3] in named for name in overlay.always_ours if name.startswith(_PYTHON)):
            continue
        ours = {(str(index), name) for index, name in overlay.control_tokens().items()}
        if names.issuperset(ours):
            candidates.append((len(ours), overlay.default, overlay))
    if not table and len(of_its_name) == 1:  # nothing says which tokens it has, and no other line has this type
        return of_its_name[0]
    best = max(candidates, key=lambda candidate: candidate[:2], default=None)
    return best[2] if best else None
