"""Model directories as they are met in practice: small stand-ins, with the overlay's files where upstream's would lie.

Nothing of upstream's Python is in here: where a layout has downloaded Python, it is written for these tests.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue.overlay import Overlay
from kimi_tokenizers.overlays.common.tokenization_kimi import PAT_STR, control_tokens, special_tokens

INDEX = "model.safetensors.index.json"
WEIGHTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
REVISION = "b5aabbfb20227ed42becbf5541dbffd213942c58"

LAYOUTS = ("good", "broken", "fast_only", "empty", "partial", "k3")

# Stands in for the fast tokenizer that upstream's broken revision brought. Like it, it has no `.model`.
FAST_PYTHON = """\
from transformers import PreTrainedTokenizerFast


class TikTokenTokenizerFast(PreTrainedTokenizerFast):
    model = None
"""

PLAIN_TEMPLATE = """\
{%- for message in messages -%}
<|im_{{ message.role }}|>{{ message.role }}<|im_middle|>{{ message.content }}<|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_assistant|>assistant<|im_middle|>{%- endif -%}
"""

K3_TOKENS = {
    163584: "[BOS]",
    163585: "[EOS]",
    163586: "<|end_of_msg|>",
    163587: "<|open|>",
    163588: "<|close|>",
    163589: "<|sep|>",
    163838: "[UNK]",
    163839: "[PAD]",
}


def write_layout(
    model_dir: Path, layout: str, line: str = "kimi-k2.6", *, tokenizer_json: bytes | Path | None = None
) -> Path:
    """Write a model directory, and return it.

    Args:
        layout: "good": the slow tokenizer is there. "broken": as of 2026-05-11, the slow tokenizer deleted.
            "fast_only": a real `tokenizer.json` is all there is of a tokenizer. "empty": nothing. "partial": half
            downloaded. "k3": the vocabulary of K3.
        tokenizer_json: content or path of a `tokenizer.json` to put there as well.
    """
    overlay = catalogue.overlays()[line]
    model_dir.mkdir(parents=True, exist_ok=True)
    if layout == "empty":
        return model_dir
    _write_model(model_dir, overlay, layout)
    {
        "good": _write_slow_tokenizer,
        "broken": _write_broken_tokenizer,
        "fast_only": _write_fast_tokenizer,
        "partial": _write_half_of_it,
        "k3": _write_k3_tokenizer,
    }[layout](model_dir, overlay)
    if tokenizer_json is not None:
        data = tokenizer_json if isinstance(tokenizer_json, bytes) else tokenizer_json.read_bytes()
        (model_dir / "tokenizer.json").write_bytes(data)
    return model_dir


def hf_snapshot(
    cache_dir: Path, model_id: str, layout: str, line: str = "kimi-k2.6", *, revision: str = REVISION, main: bool = True
) -> Path:
    """Write a snapshot into a Hugging Face cache, and return it: links into a store of blobs.

    Args:
        main: whether `refs/main` shall name it.
    """
    repo = cache_dir / f"models--{model_id.replace('/', '--')}"
    snapshot = repo / "snapshots" / revision
    for folder in (repo / "blobs", repo / "refs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as made:
        for file in sorted(write_layout(Path(made), layout, line).iterdir()):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            if file.name.endswith(".partial"):  # here, downloads under way are in the store
                file.rename(repo / "blobs" / f"{digest}.incomplete")
            else:
                file.replace(repo / "blobs" / digest)
                (snapshot / file.name).symlink_to(os.path.join("..", "..", "blobs", digest))
    if main:
        (repo / "refs" / "main").write_text(revision)
    return snapshot


@functools.lru_cache(maxsize=1)
def fast_tokenizer_json() -> Path:
    """The vocabulary of Kimi-K2.6 as a `tokenizer.json` (19.6 MB), converted as transformers does it. Made once."""
    from transformers.convert_slow_tokenizer import TikTokenConverter

    overlay = catalogue.overlays()["kimi-k2.6"]
    names = special_tokens(control_tokens(None, overlay.description()))
    folder = Path(tempfile.mkdtemp(prefix="fast-tokenizer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with overlay.files["tiktoken.model"].path() as vocab_file:
        in_order = sorted(names, key=names.__getitem__)
        converter = TikTokenConverter(
            vocab_file=str(vocab_file),
            pattern=PAT_STR,
            extra_special_tokens=in_order,
            additional_special_tokens=in_order,  # its name in transformers 4
        )
        converter.converted().save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def small_tokenizer_json() -> bytes:
    """A valid `tokenizer.json` with another vocabulary, of four tokens."""
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.BPE(vocab={"a": 0, "b": 1, "ab": 2, "c": 3}, merges=[("a", "b")]))
    return str(tokenizer.to_str()).encode()


# ---------------------------------------------------------------------------------------------------------------------


def _write_model(model_dir: Path, overlay: Overlay, layout: str) -> None:
    """What has nothing to do with tokenizers: the weights and the model's configuration; and the chat template."""
    _write_json(model_dir / "config.json", _config(overlay.line, layout))
    _write_json(model_dir / "generation_config.json", {"eos_token_id": 163586, "max_length": 262144})
    template = overlay.files.get("chat_template.jinja")
    (model_dir / "chat_template.jinja").write_bytes(template.read() if template else PLAIN_TEMPLATE.encode())
    weight_map = {f"layers.{number}.weight": name for number, name in enumerate(WEIGHTS)}
    _write_json(model_dir / INDEX, {"metadata": {"total_size": 14}, "weight_map": weight_map})
    for name in WEIGHTS:
        (model_dir / name).write_bytes(f"weights of {name}".encode())


def _config(line: str, layout: str) -> dict[str, Any]:
    if layout == "k3" or line == "kimi-k3":
        return {"model_type": "kimi_k3", "vocab_size": 163840}
    if line == "moonlight":
        return {"model_type": "deepseek_v3", "architectures": ["DeepseekV3ForCausalLM"], "vocab_size": 163840}
    if line == "kimi-linear":
        return {"model_type": "kimi_linear", "vocab_size": 163840}
    if line == "kimi-vl":
        return {"model_type": "kimi_vl", "text_config": {"model_type": "deepseek_v3", "vocab_size": 163840}}
    if line in ("kimi-k2-instruct", "kimi-k2-thinking"):
        return {"model_type": "kimi_k2", "architectures": ["DeepseekV3ForCausalLM"], "vocab_size": 163840}
    return {"model_type": "kimi_k25", "text_config": {"model_type": "kimi_k2", "vocab_size": 163840}}


def _tokenizer_config(overlay: Overlay) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(overlay.read("tokenizer_config.json"))
    return config


def _write_slow_tokenizer(model_dir: Path, overlay: Overlay) -> None:
    for name in {*overlay.always_ours, overlay.upstream.python, "tokenizer_config.json"} - (
        {"kimi_line.json"} if overlay.line.startswith("kimi-k2") else set()
    ):
        (model_dir / name).write_bytes(overlay.read(name))


def _write_broken_tokenizer(model_dir: Path, overlay: Overlay) -> None:
    config = _tokenizer_config(overlay)
    config["auto_map"] = {"AutoTokenizer": [None, "tokenization_kimi_fast.TikTokenTokenizerFast"]}
    config["tokenizer_class"] = "TikTokenTokenizerFast"
    _write_json(model_dir / "tokenizer_config.json", config)
    (model_dir / "tokenization_kimi_fast.py").write_text(FAST_PYTHON)


def _write_fast_tokenizer(model_dir: Path, overlay: Overlay) -> None:
    config = _tokenizer_config(overlay)
    del config["auto_map"]
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    _write_json(model_dir / "tokenizer_config.json", config)
    shutil.copyfile(fast_tokenizer_json(), model_dir / "tokenizer.json")


def _write_half_of_it(model_dir: Path, overlay: Overlay) -> None:
    """The Python has not come yet, the rank table and a weight file are under way: exo fetches several at a time."""
    (model_dir / "tokenizer_config.json").write_bytes(overlay.read("tokenizer_config.json"))
    (model_dir / "tiktoken.model.partial").write_bytes(overlay.read("tiktoken.model")[:100_000])
    (model_dir / WEIGHTS[1]).rename(model_dir / f"{WEIGHTS[1]}.partial")


def _write_k3_tokenizer(model_dir: Path, overlay: Overlay) -> None:
    """K3 has the same rank table, and other control tokens."""
    table = {str(index): {"content": name, "special": True} for index, name in K3_TOKENS.items()}
    config = _tokenizer_config(overlay) | {"added_tokens_decoder": table, "additional_special_tokens": []}
    _write_json(model_dir / "tokenizer_config.json", config)
    (model_dir / "tiktoken.model").write_bytes(overlay.read("tiktoken.model"))


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
