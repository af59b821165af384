"""Which overlay a model directory needs when nobody says which model it is: by its name, else by what it holds."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs.exo import model_id_of
from kimi_tokenizers.model_dirs.tokenizer_files import TOKENIZER_CONFIG, control_token_table, read_object


def identify(model_dir: Path) -> Overlay | None:
    """The overlay for a directory whose model id is not given; None where nothing says that it is a Kimi K2 model.

    What it goes by: the folder's name (exo's `org--name`, Hugging Face's `models--org--name/snapshots/…`, or the bare
    model name), the overlay's own `kimi_line.json`, the tokenizer and model that its configuration names.
    """
    path = Path(os.path.abspath(model_dir))
    for folder in (
        path.name,
        path.parent.parent.name.removeprefix("models--") if path.parent.name == "snapshots" else "",
    ):
        overlay = catalogue.find(model_id_of(folder) or f"local/{folder}")
        if overlay is not None:
            return overlay
    try:
        line = (read_object(path / "kimi_line.json") or {}).get("line")
        if line in catalogue.LINES:
            return catalogue.overlays()[str(line)]
        return _identify_by_contents(path)
    except KimiTokenizersError:
        return None  # damaged files do not say anything


def _identify_by_contents(path: Path) -> Overlay | None:
    config = read_object(path / TOKENIZER_CONFIG) or {}
    model_type = str((read_object(path / "config.json") or {}).get("model_type"))
    named = json.dumps([config.get("auto_map"), config.get("tokenizer_class")])
    if model_type == "kimi_k3":
        return catalogue.overlays()["kimi-k3"]
    if "tokenization_kimi" not in named and not model_type.startswith("kimi_k2"):
        return None
    table = control_token_table(config, path / TOKENIZER_CONFIG)
    names = {str(entry.get("content")) for entry in table.values() if isinstance(entry, dict)}
    for line in ("kimi-k3", "kimi-k2.6", "kimi-k2-thinking", "kimi-k2-instruct"):
        overlay = catalogue.overlays()[line]
        if names.issuperset(overlay.control_tokens().values()):
            return overlay
    return None
