"""The tokenizer files of a model directory, copied to where nothing else is, before exo's loading steps are taken.

exo puts a directory in front of everything that can be imported, so the steps would run whatever else lies in it. The
copy holds the files that exo, transformers and mlx-lm read by their names, and no links, folders or bytecode;
downloaded Python is only among them where it is trusted. What is left out, `status` names: see `model_dirs.importable`.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import CHAT_TEMPLATE, TOKENIZER_CONFIG, TokenizerFiles
from kimi_tokenizers.resolver import TAKEN_ALONG


@contextlib.contextmanager
def private_copy(overlay: Overlay, directory: TokenizerFiles, *, trusted: bool = False) -> Iterator[Path]:
    """A copy of the tokenizer files of a model directory, in a folder of its own, for as long as the context lasts.

    Args:
        trusted: take along every Python file at the top of the directory, and not only those that the overlay has, too.

    Raises:
        ModelDirError: one of the files is not what such a file is.
    """
    names = dict.fromkeys([*overlay.files, *TAKEN_ALONG, TOKENIZER_CONFIG, CHAT_TEMPLATE, "tokenizer.json"])
    names |= dict.fromkeys(directory.more_templates())
    if trusted:
        names |= dict.fromkeys(name for name in directory.names if name.endswith(".py"))
    with tempfile.TemporaryDirectory(prefix="kimi-tokenizers-copy-") as folder:
        copy = Path(folder, directory.path.name or "model")  # exo's own tokenizer goes by the folder's name
        copy.mkdir()
        for name in names:
            data = directory.read(name)
            if data is not None:
                (copy / name).parent.mkdir(exist_ok=True)
                (copy / name).write_bytes(data)
        yield copy
