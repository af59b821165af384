"""The resolver: for every tokenizer file of a model, which layer it comes from, the overlay or the model directory.

`layers` only reads and decides; `resolve` puts what was decided into a directory of the cache. Neither ever writes to
a model directory.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from kimi_tokenizers import catalogue, directory, guard
from kimi_tokenizers.errors import KimiTokenizersError, ModelDirError
from kimi_tokenizers.overlay import Overlay, OverlayFile

# Always the overlay's: no downloaded Python runs, and the rank table is the one the tokenizer was made for.
ALWAYS_OURS = ("tiktoken.model", "tokenization_kimi.py", "tool_declaration_ts.py", "kimi_line.json")

# What transformers would build another tokenizer from, or what has nothing to do with tokenizing.
_LEFT_OUT = ("tokenizer.json", "model.safetensors.index.json")
_SMALL = (".json", ".jinja")
_SMALL_BYTES = 1024 * 1024

SLOW_CLASS = "tokenization_kimi.TikTokenTokenizer"


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
    result = [Layer(name, "overlay", "the overlay's is always in front") for name in ALWAYS_OURS]
    config, why = _config_origin(overlay, model_dir)
    if config == "directory" or directory.TOKENIZER_CONFIG in overlay.files:
        result.append(Layer(directory.TOKENIZER_CONFIG, config, why))
    template = _template_layer(overlay, model_dir, config)
    if template is not None:
        result.append(template)
    decided = {layer.name for layer in result} | {directory.CHAT_TEMPLATE, *_LEFT_OUT}
    result += [Layer(name, "directory", "the model's own") for name in _small_files(model_dir) if name not in decided]
    return result


def _config_origin(overlay: Overlay, model_dir: Path) -> tuple[Literal["overlay", "directory"], str]:
    path = model_dir / directory.TOKENIZER_CONFIG
    config = directory.read_object(path)
    if config is None:
        return "overlay", "the model directory has none"
    if SLOW_CLASS in _slots(config):
        return "directory", "the model's own, with the slow tokenizer in it"
    own = directory.control_token_table(config, path)
    names = {str(index): entry.get("content") for index, entry in own.items() if isinstance(entry, dict)}
    ours = {str(index): name for index, name in guard.table_of(overlay).items()}
    if config.get("chat_template") or (own and names != ours):
        return "directory", "the model's own: it holds a chat template or control tokens of its own"
    return "overlay", "the model's own does not name the slow tokenizer"


def _slots(config: dict[str, Any]) -> list[Any]:
    """The tokenizer classes that a `tokenizer_config.json` names: slow, fast."""
    auto_map = config.get("auto_map")
    slots = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else None
    return slots if isinstance(slots, list) else [slots]


def _with_slow_class(data: bytes) -> bytes:
    """A `tokenizer_config.json` that names the slow tokenizer: as it is, or with its dangling names replaced."""
    config = json.loads(data)
    if SLOW_CLASS in _slots(config):
        return data
    config |= {"auto_map": {"AutoTokenizer": [SLOW_CLASS, None]}, "tokenizer_class": "TikTokenTokenizer"}
    return json.dumps(config, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass")


def _template_layer(overlay: Overlay, model_dir: Path, config: str) -> Layer | None:
    name = directory.CHAT_TEMPLATE
    if directory.read_text(model_dir / name) is not None:
        return Layer(name, "directory", "the model's own")
    if config == "directory" and directory.chat_template(model_dir) is not None:
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
            data = directory.read_small(model_dir / layer.name)
            if data is not None:  # else it went in between
                files[layer.name] = _with_slow_class(data) if layer.name == directory.TOKENIZER_CONFIG else data
    return files


def resolve(model_id: str, model_dir: str | os.PathLike[str], *, override_guard: bool = False) -> Path:
    """A directory in which exo's unchanged loading code finds a working tokenizer for a model.

    Args:
        model_id: `owner/name`. For one that is none of ours `model_dir` comes back, untouched and unexamined.
        model_dir: the model directory; never written to.
        override_guard: go on where the directory contradicts the overlay, with a warning. Ids may then be wrong.

    Returns:
        A directory in the per-user cache, with the overlay's Python and rank table in front and the model's own chat
        template and small JSON files behind. It is made once, checked and mended on every call; treat it as read-only.

    Raises:
        VocabularyMismatchError: the directory's own files say that it has another vocabulary.
        ModelDirError, TokenizerConfigError: it cannot be read, or one of its files is damaged.
        CacheError: there is no place to write to.
    """
    overlay = catalogue.find(model_id)
    if overlay is None:
        return Path(model_dir)
    from kimi_tokenizers import cache

    path = directory.check(model_dir)
    guard.check(overlay, path, override=override_guard)
    files = front(overlay, path)
    sums = {name: sha256(file).hexdigest() if isinstance(file, bytes) else file.sha256 for name, file in files.items()}

    def read(name: str) -> bytes:
        file = files[name]
        return file if isinstance(file, bytes) else file.read()

    return cache.entry(sums, read)


def provides(model_id: str, filename: str) -> bool:
    """Whether the overlay puts this file in front whatever the model directory holds: a downloader can skip it.

    False for files that the model's own take precedence over (`chat_template.jinja`, `tokenizer_config.json`).

    >>> provides("moonshotai/Kimi-K2.6", "tokenization_kimi.py")
    True
    >>> provides("mlx-community/Qwen3-8B-4bit", "tokenizer.json")
    False
    """
    return filename in ALWAYS_OURS and catalogue.find(model_id) is not None


def describe(model_id: str, model_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """What `resolve` would do, for people and machines: the line, the layers, and the guard's objection if any."""
    overlay = catalogue.get(model_id)
    path = directory.check(model_dir)
    try:
        guard.check(overlay, path)
        objection = None
        decided = layers(overlay, path)
    except KimiTokenizersError as error:
        objection, decided = str(error), []
    return {"line": overlay.line, "layers": [vars(layer) for layer in decided], "objection": objection}
