"""Which overlay serves which model id.

Whether an id is ours can be told without opening a file; a manifest (`overlays/*/overlay.toml`) is read, once, for an
id that is. So nothing that is missing or damaged in the package can get in the way of anybody else's model. It never
touches the file system outside the package.
"""

from __future__ import annotations

import functools
import re
import sys

from kimi_tokenizers.catalogue.overlay import Overlay, resources
from kimi_tokenizers.errors import ModelIdError, OverlayError, UnknownModelError

# The upstream models that each line serves, as its manifest says, too.
LINES: dict[str, tuple[str, ...]] = {
    "kimi-k2-instruct": ("moonshotai/Kimi-K2-Base", "moonshotai/Kimi-K2-Instruct", "moonshotai/Kimi-K2-Instruct-0905"),
    "kimi-k2-thinking": ("moonshotai/Kimi-K2-Thinking",),
    "kimi-k2.5": ("moonshotai/Kimi-K2.5",),
    "kimi-k2.6": ("moonshotai/Kimi-K2.6", "moonshotai/Kimi-K2.7-Code"),
}

_MODEL_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")


def overlays() -> dict[str, Overlay]:
    """Every packaged overlay: line -> overlay. Raises OverlayError where a manifest is missing or damaged."""
    return {line: _overlay(line) for line in LINES}


@functools.cache
def _overlay(line: str) -> Overlay:
    """The overlay of a line. Raises OverlayError where its manifest is missing or damaged."""
    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        manifest = tomllib.loads(resources().joinpath(line, "overlay.toml").read_text(encoding="utf-8"))
        return Overlay.from_manifest(manifest)
    except Exception as error:  # the file, the folder or its Python, the TOML, what is in it
        raise OverlayError(
            f"The packaged manifest '{line}/overlay.toml' cannot be used ({type(error).__name__}: {error}). "
            "Reinstall kimi-tokenizers."
        ) from error


def parts(name: str) -> tuple[str, ...]:
    """The parts of a model name, lower case: "Kimi-K2.6-mlx-DQ3_K_M" -> ("kimi", "k2.6", "mlx", "dq3", "k", "m")."""
    return tuple(re.split(r"[-_]", name.lower()))


def find(model_id: str) -> Overlay | None:
    """The overlay that serves a model id; None for an id that is none of ours, whatever it looks like.

    An id is ours if its name is that of a served upstream model, or begins with its parts, whoever owns it: so a
    conversion, "mlx-community/Kimi-K2.6-mlx-DQ3_K_M-q8". A model of another family that was distilled from Kimi is not.

    Raises:
        OverlayError: the id is ours, and the manifest of its line is missing or damaged.
    """
    line = _line(model_id) if isinstance(model_id, str) else None
    return None if line is None else _overlay(line)


@functools.lru_cache(maxsize=1024)
def _line(model_id: str) -> str | None:
    """The line that serves a model id."""
    if not _MODEL_ID.fullmatch(model_id):
        return None
    name = parts(model_id.split("/")[1])
    if any(part.startswith("distill") for part in name):
        return None
    for line, models in LINES.items():
        for served in models:
            served_name = parts(served.split("/")[1])
            if name[: len(served_name)] == served_name:
                return line
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
        served = ", ".join(model for models in LINES.values() for model in models)
        raise UnknownModelError(
            f"No overlay serves {model_id!r}. Known are {served}, and conversions of them that keep the name "
            "(as 'mlx-community/Kimi-K2.6-4bit'). Other Kimi models have other control tokens and need none of this."
        )
    return overlay
