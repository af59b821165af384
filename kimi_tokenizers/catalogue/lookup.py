"""Which overlay serves which model id.

It reads the manifests (`overlays/*/overlay.toml`), once, and only for ids that can be ours. It never touches the file
system outside the package.
"""

from __future__ import annotations

import functools
import re
import sys

from kimi_tokenizers.catalogue.overlay import Overlay, resources
from kimi_tokenizers.errors import ModelIdError, OverlayError, UnknownModelError

LINES = ("kimi-k2-instruct", "kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6", "kimi-k3")

_MODEL_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")


@functools.lru_cache(maxsize=1)
def overlays() -> dict[str, Overlay]:
    """Every packaged overlay: line -> overlay. Raises OverlayError where a manifest is missing or damaged."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    root = resources()
    result = {}
    for line in LINES:
        try:
            manifest = tomllib.loads(root.joinpath(line, "overlay.toml").read_text(encoding="utf-8"))
            result[line] = Overlay.from_manifest(manifest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OverlayError(
                f"The packaged manifest '{line}/overlay.toml' cannot be used ({error}). Reinstall kimi-tokenizers."
            ) from error
    return result


def parts(name: str) -> tuple[str, ...]:
    """The parts of a model name, lower case: "Kimi-K2.6-mlx-DQ3_K_M" -> ("kimi", "k2.6", "mlx", "dq3", "k", "m")."""
    return tuple(re.split(r"[-_]", name.lower()))


@functools.lru_cache(maxsize=1024)
def find(model_id: str) -> Overlay | None:
    """The overlay that serves a model id; None for an id that is none of ours, whatever it looks like.

    An id is ours if its name is that of a served upstream model, or begins with its parts, whoever owns it: so a
    conversion, "mlx-community/Kimi-K2.6-mlx-DQ3_K_M-q8". A model of another family that was distilled from Kimi is not.
    """
    if "kimi" not in model_id.lower() or not _MODEL_ID.fullmatch(model_id):
        return None
    name = parts(model_id.split("/")[1])
    # Every name that is served begins so; the manifests need not be read to know that Kimi-Dev or Kimi-VL is not.
    if name[0] != "kimi" or not name[1:2] or not (name[1].startswith("k2") or name[1] == "k3"):
        return None
    if any(part.startswith("distill") for part in name):
        return None
    for overlay in overlays().values():
        for served in overlay.models:
            served_name = parts(served.split("/")[1])
            if name[: len(served_name)] == served_name:
                return overlay
    return None


def get(model_id: str) -> Overlay:
    """The overlay that serves a model id.

    Raises:
        ModelIdError: the id is not of the form `owner/name`.
        UnknownModelError: no overlay serves it.
    """
    if not isinstance(model_id, str) or not _MODEL_ID.fullmatch(model_id):
        raise ModelIdError(
            f"{str(model_id)[:100]!r} is not a model id; expected `owner/name`, as in 'moonshotai/Kimi-K2.6'."
        )
    overlay = find(model_id)
    if overlay is None:
        served = ", ".join(model for overlay in overlays().values() for model in overlay.models)
        raise UnknownModelError(
            f"No overlay serves {model_id!r}. Known are {served}, and conversions of them that keep the name "
            "(as 'mlx-community/Kimi-K2.6-4bit'). Other Kimi models have other control tokens and need none of this."
        )
    return overlay
