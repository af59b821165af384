"""The steps by which an unchanged exo 0.3.70 turns a model directory into a tokenizer.

This is what the overlay has to please, so it is repeated here step by step, faults included: the
demo shows which step fails on a broken directory, the tests perform the same steps on a mended one.
For every model id that contains `kimi-k2`, exo executes the `tokenization_kimi.py` that lies in the
model directory, and so does this module: call it only on directories whose Python you trust.

It stands alone. It must never import the rest of the package, so that it can be run by its path
where the package cannot be imported, as in exo's frozen app. Steps 1 to 6 need transformers,
step 7 needs mlx-lm.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

IM_END_ID = 163586
"""The id of `<|im_end|>`, at which exo stops."""

TOOL_CALLS_BEGIN = "<|tool_calls_section_begin|>"
TOOL_CALLS_END = "<|tool_calls_section_end|>"

_GPT2_MODULE = "transformers.models.gpt2.tokenization_gpt2"
_MODULE_NAMES = ("tool_declaration_ts", "tokenization_kimi")


def load_like_exo(model_path: Path, *, wrap: bool = True) -> Any:
    """Load the tokenizer of a model directory as exo does: steps 1 to 6, and 7 if `wrap`.

    Returns an `mlx_lm.tokenizer_utils.TokenizerWrapper`, or without `wrap` the directory's own
    `TikTokenTokenizer`. Like exo, it leaves `model_path` at the front of `sys.path` and two modules
    in `sys.modules`; see `isolated`. Whatever a step raises comes through as it is, and ImportError
    if `wrap` is asked for without mlx-lm.
    """
    provide_bytes_to_unicode()
    put_on_sys_path(model_path)
    execute_tool_declaration(model_path)
    module = execute_tokenization(model_path)
    tokenizer = instantiate(module, model_path)
    replace_encode(tokenizer)
    return wrap_for_mlx(tokenizer) if wrap else tokenizer


def load_like_exo_generically(model_path: Path, *, trust_remote_code: bool = True) -> Any:
    """Load the tokenizer of a model directory as exo does for an id without `kimi-k2` in it: through `AutoTokenizer`.

    mlx-lm's `load`, which exo calls, wraps what comes of it. Whatever it raises comes through as it is.
    """
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model_path, trust_remote_code=trust_remote_code)


def load_line_like_exo(model_path: Path, line: str) -> Any:
    """A model directory's own tokenizer, not wrapped, by the way that exo takes for this line."""
    if line.startswith("kimi-k2"):
        return load_like_exo(model_path, wrap=False)
    return load_like_exo_generically(model_path)


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """Undo afterwards what exo's steps leave in this process.

    `sys.path`, the modules `tool_declaration_ts` and `tokenization_kimi`, whatever else was
    imported from a directory that the steps put there, and the function lent to transformers are
    as before. A tokenizer that was loaded inside stays usable.
    """
    path = list(sys.path)
    before = set(sys.modules)
    modules = {name: sys.modules.get(name) for name in _MODULE_NAMES}
    lent_before = _lent_bytes_to_unicode()
    try:
        yield
    finally:
        added = {os.path.join(os.path.abspath(folder), "") for folder in sys.path if folder not in path}
        sys.path[:] = path
        for name in [name for name in sys.modules if name not in before]:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(tuple(added)):
                del sys.modules[name]
        for name, module in modules.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        if _lent_bytes_to_unicode() and not lent_before:
            del vars(sys.modules[_GPT2_MODULE])["bytes_to_unicode"]


def _lent_bytes_to_unicode() -> bool:
    """Whether transformers' gpt2 module holds a `bytes_to_unicode` that is not its own."""
    function = vars(sys.modules.get(_GPT2_MODULE, ModuleType(""))).get("bytes_to_unicode")
    return function is not None and function.__module__ != _GPT2_MODULE


def provide_bytes_to_unicode() -> None:
    """Step 1: give transformers' gpt2 module the function that transformers 5 took from it."""
    gpt2 = importlib.import_module(_GPT2_MODULE)
    if not hasattr(gpt2, "bytes_to_unicode"):
        converters = importlib.import_module("transformers.convert_slow_tokenizer")
        vars(gpt2)["bytes_to_unicode"] = converters.bytes_to_unicode


def put_on_sys_path(model_path: Path) -> None:
    """Step 2: put the model directory in front of everything that can be imported."""
    sys.path.insert(0, str(model_path))


def execute_tool_declaration(model_path: Path) -> ModuleType | None:
    """Step 3: execute `tool_declaration_ts.py`, if there is one, as a top-level module."""
    path = model_path / "tool_declaration_ts.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location("tool_declaration_ts", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tool_declaration_ts"] = module
    spec.loader.exec_module(module)
    return module


def execute_tokenization(model_path: Path) -> ModuleType:
    """Step 4: execute `tokenization_kimi.py` as a top-level module, its relative import rewritten.

    Raises FileNotFoundError where upstream has taken the file away.
    """
    path = model_path / "tokenization_kimi.py"
    source = path.read_text(encoding="utf-8")
    source = source.replace("from .tool_declaration_ts", "from tool_declaration_ts")
    module = ModuleType("tokenization_kimi")
    module.__file__ = str(path)
    sys.modules["tokenization_kimi"] = module
    # dont_inherit: the future statement above is about this file, not about that one
    exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    return module


def instantiate(module: ModuleType, model_path: Path) -> Any:
    """Step 5: have the module's `TikTokenTokenizer` read the directory.

    Raises AttributeError if the module has no such class.
    """
    return module.TikTokenTokenizer.from_pretrained(model_path)


def replace_encode(tokenizer: Any) -> None:
    """Step 6: replace `encode` by one that asks the `tiktoken.Encoding` in `.model` directly.

    A fast tokenizer, whose `.model` is None, is found out by the first call, not here.
    """

    def encode(text: str, **_ignored: Any) -> list[int]:
        return list(tokenizer.model.encode(text, allowed_special="all"))

    tokenizer.encode = encode


def wrap_for_mlx(tokenizer: Any) -> Any:
    """Step 7: wrap the tokenizer as mlx-lm wants it, with exo's stop id and tool-call markers.

    exo 0.3.70 brings its own tool parser; mlx-lm's for Kimi K2 stands in for it here. The wrapper
    of an old mlx-lm (0.29) has no place for markers and parser, and goes without.
    """
    from mlx_lm.tokenizer_utils import TokenizerWrapper  # only this step needs it

    wanted = {
        "eos_token_ids": [IM_END_ID],
        "tool_call_start": TOOL_CALLS_BEGIN,
        "tool_call_end": TOOL_CALLS_END,
        "tool_parser": tool_parser(),
    }
    known = inspect.signature(TokenizerWrapper.__init__).parameters
    return TokenizerWrapper(tokenizer, **{k: v for k, v in wanted.items() if k in known})


def tool_parser() -> Callable[..., Any] | None:
    """mlx-lm's parser of Kimi K2 tool calls, or None where mlx-lm is too old to have one.

    It takes the text between the two section markers and returns a list of
    `{"id": …, "name": …, "arguments": …}`.
    """
    try:
        parsers = importlib.import_module("mlx_lm.tool_parsers.kimi_k2")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("mlx_lm.tool_parsers"):
            raise  # mlx-lm itself is missing, or something that its parser needs
        return None
    parse: Callable[..., Any] = parsers.parse_tool_call
    return parse
