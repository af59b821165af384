"""For every tokenizer file of a model, which layer it comes from: the overlay or the model directory.

`layers` decides and says why; `front` gives the content. Both only read.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kimi_tokenizers.catalogue import Overlay, OverlayFile
from kimi_tokenizers.errors import ModelDirError
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    chat_template,
    control_token_table,
    read_object,
    read_small,
    read_text,
)

# What transformers would build another tokenizer from, or what has nothing to do with tokenizing.
_LEFT_OUT = ("tokenizer.json", "model.safetensors.index.json")
_SMALL = (".json", ".jinja")
_SMALL_BYTES = 1024 * 1024

# The slow tokenizer's class, in whichever of an overlay's modules a `tokenizer_config.json` looks for it.
_CLASS = "TikTokenTokenizer"


@dataclass(frozen=True)
class Layer:
    """Where one tokenizer file comes from.

    Attributes:
        name: the file's name.
        origin: "overlay" or "directory".
        why: the reason, for people.
    """

    name: str
    origin: Literal["overlay", "directory"]
    why: str


def layers(overlay: Overlay, model_dir: Path) -> list[Layer]:
    """Decide for every tokenizer file of a model directory. Raises ModelDirError, TokenizerConfigError."""
    result = [Layer(name, "overlay", "the overlay's is always in front") for name in overlay.always_ours]
    config, why = _config_origin(overlay, model_dir)
    if config == "directory" or TOKENIZER_CONFIG in overlay.files:
        result.append(Layer(TOKENIZER_CONFIG, config, why))
    template = _template_layer(overlay, model_dir, config)
    if template is not None:
        result.append(template)
    decided = {layer.name for layer in result} | {CHAT_TEMPLATE, *_LEFT_OUT}
    result += [Layer(name, "directory", "the model's own") for name in _small_files(model_dir) if name not in decided]
    return result


def _config_origin(overlay: Overlay, model_dir: Path) -> tuple[Literal["overlay", "directory"], str]:
    path = model_dir / TOKENIZER_CONFIG
    config = read_object(path)
    if config is None:
        return "overlay", "the model directory has none"
    if _names_slow_class(overlay, config):
        return "directory", "the model's own, with the slow tokenizer in it"
    own = control_token_table(config, path)
    names = {str(index): entry.get("content") for index, entry in own.items() if isinstance(entry, dict)}
    ours = {str(index): name for index, name in overlay.control_tokens().items()}
    if config.get("chat_template") or (own and names != ours):
        return "directory", "the model's own: it holds a chat template or control tokens of its own"
    return "overlay", "the model's own does not name the slow tokenizer"


def _names_slow_class(overlay: Overlay, config: dict[str, Any]) -> bool:
    """Whether a `tokenizer_config.json` names a class that one of the overlay's files holds."""
    ours = [f"{name[:-3]}.{_CLASS}" for name in overlay.files if name.endswith(".py")]
    return any(slot in ours for slot in _slots(config))


def _slots(config: dict[str, Any]) -> list[Any]:
    """The tokenizer classes that a `tokenizer_config.json` names: slow, fast."""
    auto_map = config.get("auto_map")
    slots = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else None
    return slots if isinstance(slots, list) else [slots]


def _with_slow_class(overlay: Overlay, data: bytes) -> bytes:
    """A `tokenizer_config.json` that names the slow tokenizer: as it is, or with its dangling names replaced."""
    config = json.loads(data)
    if _names_slow_class(overlay, config):
        return data
    slow = f"{overlay.upstream.python[:-3]}.{_CLASS}"
    config |= {"auto_map": {"AutoTokenizer": [slow, None]}, "tokenizer_class": _CLASS}
    return json.dumps(config, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass")


def _template_layer(overlay: Overlay, model_dir: Path, config: str) -> Layer | None:
    name = CHAT_TEMPLATE
    if overlay.encoder:
        return None
    if read_text(model_dir / name) is not None:
        return Layer(name, "directory", "the model's own")
    if config == "directory" and chat_template(model_dir) is not None:
        return None  # it is inside the tokenizer_config.json; a file beside it would win over it
    if name in overlay.files:
        return Layer(name, "overlay", "the model directory has none")
    return None


def _small_files(model_dir: Path) -> list[str]:
    """Names of the small JSON files and templates at the top of a model directory, sorted."""
    try:
        with os.scandir(model_dir) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.endswith(_SMALL)
                and not entry.name.startswith(".")
                and not entry.name.endswith(".index.json")
                and entry.is_file()
                and entry.stat().st_size <= _SMALL_BYTES
            )
    except OSError as error:
        raise ModelDirError(f"Cannot read {str(error.filename or model_dir)!r}: {error.strerror}.") from error


def front(overlay: Overlay, model_dir: Path) -> dict[str, OverlayFile | bytes]:
    """Every tokenizer file of a model as `layers` decides: name -> packaged file, or content of the directory's own."""
    files: dict[str, OverlayFile | bytes] = {}
    for layer in layers(overlay, model_dir):
        if layer.origin == "overlay":
            files[layer.name] = overlay.files[layer.name]
        else:
            data = read_small(model_dir / layer.name)
            if data is not None:  # else it went in between
                files[layer.name] = _with_slow_class(overlay, data) if layer.name == TOKENIZER_CONFIG else data
    return files
