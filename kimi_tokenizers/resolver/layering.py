"""For every tokenizer file of a model, which layer it comes from: the overlay or the model directory.

`layers` decides and says why; `front` gives the content. Both only read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from kimi_tokenizers.catalogue import Overlay, OverlayFile
from kimi_tokenizers.model_dirs import (
    CHAT_TEMPLATE,
    RENUMBERED,
    TOKENIZER_CONFIG,
    TokenizerFiles,
    ignored_keys,
    is_renumbered,
    parse_json,
)

# What exo, transformers and mlx-lm read beside these two when they make a tokenizer or a processor. Nothing else is
# taken along, whatever it is called: it may be private, or another tokenizer.
TAKEN_ALONG = (
    *("added_tokens.json", "special_tokens_map.json", "config.json", "generation_config.json"),
    *("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json", "chat_template.json"),
)

NO_BYTECODE = "__pycache__"
"""An empty file in the place of the folder of this name: so Python neither takes bytecode from there nor leaves any.

exo executes the overlay's Python in the directory that it is handed, and bytecode that somebody put there would be
taken for that of the overlay's files. Without any, they are compiled each time.
"""

# The slow tokenizer's class, in whichever of an overlay's modules a `tokenizer_config.json` looks for it.
_CLASS = "TikTokenTokenizer"

_NAMED = 20  # keys of a configuration in a message


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


def layers(overlay: Overlay, directory: TokenizerFiles) -> list[Layer]:
    """Decide for every tokenizer file of a model directory. Raises ModelDirError, TokenizerConfigError."""
    result = [Layer(name, "overlay", "the overlay's is always in front") for name in overlay.always_ours]
    config, why = _config_origin(overlay, directory)
    if config == "directory" or TOKENIZER_CONFIG in overlay.files:
        result.append(Layer(TOKENIZER_CONFIG, config, why))
    template = _template_layer(overlay, directory, config)
    if template is not None:
        result.append(template)
    taken = [name for name in sorted(TAKEN_ALONG) if directory.read(name) is not None]
    if not overlay.encoder:
        taken += [name for name in directory.more_templates() if directory.text(name) is not None]
    return result + [Layer(name, "directory", "the model's own") for name in taken]


def _config_origin(overlay: Overlay, directory: TokenizerFiles) -> tuple[Literal["overlay", "directory"], str]:
    config = directory.object(TOKENIZER_CONFIG)
    if config is None:
        return "overlay", "the model directory has none"
    if is_renumbered(overlay, directory):
        return "overlay", f"the model's own has {RENUMBERED}; the weights have the ids of the line"
    keys = [key[:40] for key in ignored_keys(overlay, directory)]
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    unused = f"; without effect on tokens: {', '.join(keys[:_NAMED])}{more}" if keys else ""
    if is_read_by_transformers(overlay, directory):
        return "directory", f"the model's own, with the slow tokenizer in it{unused}"
    own = directory.control_token_table()
    names = {str(index): entry.get("content") for index, entry in own.items() if isinstance(entry, dict)}
    ours = {str(index): name for index, name in overlay.control_tokens().items()}
    inside = config.get("chat_template") and directory.chat_templates() and not directory.template_files()
    if inside or (own and names != ours):
        return "directory", f"the model's own: it holds a chat template or control tokens of its own{unused}"
    return "overlay", "the model's own does not name the slow tokenizer, or not as transformers reads it"


def is_read_by_transformers(overlay: Overlay, directory: TokenizerFiles) -> bool:
    """Whether AutoTokenizer finds the slow tokenizer by a directory's `tokenizer_config.json`. Raises as `layers`."""
    config = directory.object(TOKENIZER_CONFIG) or {}
    return _names_slow_class(overlay, config) and is_plain(directory.read(TOKENIZER_CONFIG) or b"")


def is_plain(data: bytes) -> bool:
    """Whether it is JSON in UTF-8 without a byte order mark, as transformers reads it."""
    try:
        parse_json(data.decode("utf-8"))
    except ValueError:
        return False
    return True


def _names_slow_class(overlay: Overlay, config: dict[str, Any]) -> bool:
    """Whether a `tokenizer_config.json` names classes that the overlay's files hold, and no other."""
    ours = [None, *(f"{name[:-3]}.{_CLASS}" for name in overlay.files if name.endswith(".py"))]
    slots = _slots(config)
    return any(slots) and all(slot in ours for slot in slots)


def _slots(config: dict[str, Any]) -> list[Any]:
    """The tokenizer classes that a `tokenizer_config.json` names: slow, fast."""
    auto_map = config.get("auto_map")
    slots = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else None
    return slots if isinstance(slots, list) else [slots]


def _template_layer(overlay: Overlay, directory: TokenizerFiles, config: str) -> Layer | None:
    if overlay.encoder:
        return None
    files = directory.template_files()
    if "default" in files:
        return Layer(CHAT_TEMPLATE, "directory", "the model's own")
    if config == "directory" and not files and directory.chat_templates():
        return None  # it is inside the tokenizer_config.json; a file beside it would win over it
    if CHAT_TEMPLATE in overlay.files:
        return Layer(CHAT_TEMPLATE, "overlay", "the model directory has none")
    return None


@dataclass(frozen=True)
class Content:
    """The content of a file in front: a packaged file, or what the model directory's own held.

    Attributes:
        private: the model directory's own is not for everybody to read, so neither may a copy be.
    """

    data: OverlayFile | bytes
    sha256: str
    private: bool = False

    @property
    def mode(self) -> int:
        """What a copy may be: read, by its owner or by everybody."""
        return 0o400 if self.private else 0o444

    def read(self) -> bytes:
        return self.data if isinstance(self.data, bytes) else self.data.read()


def front(overlay: Overlay, directory: TokenizerFiles) -> dict[str, Content]:
    """Every tokenizer file of a model as `layers` decides, and `NO_BYTECODE`: name -> content."""
    files = {NO_BYTECODE: Content(b"", hashlib.sha256(b"").hexdigest())}
    for layer in layers(overlay, directory):
        if layer.origin == "overlay":
            file = overlay.files[layer.name]
            files[layer.name] = Content(file, file.sha256)
        else:
            data = directory.read(layer.name) or b""
            data = _rewritten(overlay, data) if layer.name == TOKENIZER_CONFIG else data
            files[layer.name] = Content(data, hashlib.sha256(data).hexdigest(), directory.is_private(layer.name))
    return files


def _rewritten(overlay: Overlay, data: bytes) -> bytes:
    """A `tokenizer_config.json` as everybody can read it, that names the slow tokenizer: as it is, if it does."""
    config = parse_json(data)
    wanted = {**config, "tokenizer_class": _CLASS}
    if not _names_slow_class(overlay, config) or len(_slots(config)) != 2:
        wanted["auto_map"] = {"AutoTokenizer": [f"{overlay.upstream.python[:-3]}.{_CLASS}", None]}
    wanted.pop("fast_tokenizer_files", None)
    if wanted == config and is_plain(data):
        return data
    return json.dumps(wanted, indent=2).encode("ascii")
