"""From a model id to verified bytes: model id -> line -> overlay -> the packaged files.

It may import `errors` and the standard library. It must never look at a model directory, write anything, or hand out a
byte of a packaged file that was not checked against its SHA-256.
"""

from kimi_tokenizers.catalogue.lookup import LINES, find, get, overlays
from kimi_tokenizers.catalogue.overlay import Overlay, OverlayFile, resources
from kimi_tokenizers.catalogue.toml import parse_toml
from kimi_tokenizers.catalogue.vocabulary import N_RANKS, VOCAB_SIZE, spell, unspell

__all__ = [
    "LINES",
    "N_RANKS",
    "VOCAB_SIZE",
    "Overlay",
    "OverlayFile",
    "find",
    "get",
    "overlays",
    "parse_toml",
    "resources",
    "spell",
    "unspell",
]
