"""The packaged Python that tokenizes, executed from the very bytes that were verified.

Left to itself, Python executes the bytecode that it finds in `__pycache__` beside a module, which no hash covers. So
the overlays' modules are found here: the source is read and verified, and bytecode is only used where it is known to be
what this Python makes of that source. That is found out by compiling it, once, and remembered in the per-user cache,
by the bytecode's own hash, as the guard remembers large files. What no manifest lists is no module of the overlays.
"""

from __future__ import annotations

import functools
import marshal
import struct
import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import OverlayFile
from kimi_tokenizers.model_dirs import has_verdict, keep_verdict

if TYPE_CHECKING:
    from importlib.abc import InspectLoader, MetaPathFinder
else:
    InspectLoader = MetaPathFinder = object  # `importlib.abc` takes long to import, and asks for nothing of these

_ROOT = "kimi_tokenizers.overlays"


def install() -> None:
    """Find the overlays' modules here, from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


@functools.lru_cache(maxsize=1)
def _modules() -> dict[str, OverlayFile | None]:
    """Name -> the packaged file; None for the folders, whose own Python is not executed."""
    found: dict[str, OverlayFile | None] = {_ROOT: None}
    for overlay in catalogue.overlays().values():
        for file in overlay.files.values():
            if file.source.endswith(".py"):
                folder, _, name = file.source[: -len(".py")].rpartition("/")
                found[f"{_ROOT}.{folder}"] = None
                found[f"{_ROOT}.{folder}.{name}"] = file
    return found


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _ROOT and not fullname.startswith(f"{_ROOT}."):
            return None
        modules = _modules()
        for finder in sys.meta_path if fullname in modules else ():
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                spec.loader = _Loader(modules[fullname], spec)
                return spec
        raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


class _Loader(InspectLoader):
    def __init__(self, file: OverlayFile | None, spec: ModuleSpec) -> None:
        self._file, self._spec, self._ordinary = file, spec, spec.loader

    def create_module(self, spec: ModuleSpec) -> None:
        """None: Python makes the module."""

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(module.__name__), module.__dict__)

    def is_package(self, fullname: str) -> bool:
        return self._file is None

    def get_source(self, fullname: str) -> str:
        """The verified source; for a folder nothing. Raises OverlayError."""
        return "" if self._file is None else self._file.read().decode("utf-8")

    def get_code(self, fullname: str) -> CodeType:
        """The verified source, compiled. Raises OverlayError."""
        where = self._spec.origin or f"<{fullname}>"
        if self._file is None:
            return compile("", where, "exec")
        source = self._file.read()
        bytecode = self._bytecode()
        known = sha256(repr(("bytecode", self._file.sha256, where)).encode() + bytecode).hexdigest()
        if bytecode and has_verdict(known):
            code: CodeType = marshal.loads(bytecode[16:])
            return code
        code = compile(source, where, "exec", dont_inherit=True)
        if bytecode and bytecode[16:] == marshal.dumps(code):
            keep_verdict(known)
        elif not bytecode and not sys.dont_write_bytecode:
            self._write(marshal.dumps(code))
        return code

    def _bytecode(self) -> bytes:
        """Python's bytecode of the module; nothing where Python would make it anew."""
        if not isinstance(self._ordinary, SourceFileLoader) or not self._spec.cached:
            return b""
        try:
            data = Path(self._spec.cached).read_bytes()
        except OSError:
            return b""
        is_old = data[4:16] != self._header()[4:] and data[4:8] == bytes(4)
        return b"" if len(data) < 16 or data[:4] != MAGIC_NUMBER or is_old else data

    def _header(self) -> bytes:
        assert isinstance(self._ordinary, SourceFileLoader)
        stats = self._ordinary.path_stats(self._ordinary.path)
        fields = (0, int(stats["mtime"]) & 0xFFFFFFFF, int(stats["size"]) & 0xFFFFFFFF)
        return MAGIC_NUMBER + struct.pack("<III", *fields)

    def _write(self, code: bytes) -> None:
        if isinstance(self._ordinary, SourceFileLoader) and self._spec.cached:
            self._ordinary.set_data(self._spec.cached, self._header() + code)  # where that cannot be, it does nothing

    def get_resource_reader(self, fullname: str) -> Any:
        return getattr(self._ordinary, "get_resource_reader", lambda name: None)(fullname)
