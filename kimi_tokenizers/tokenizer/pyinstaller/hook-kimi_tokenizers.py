"""What of kimi-tokenizers goes into a frozen app. PyInstaller runs this where it finds `import kimi_tokenizers`."""

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

_LEFT_OUT = ("kimi_tokenizers.commands.pytest_plugin", "kimi_tokenizers.tokenizer.pyinstaller")

# The public names, the commands and tiktoken's plugin are imported by name, when they are first used.
hiddenimports = [
    *collect_submodules("kimi_tokenizers", filter=lambda name: not name.startswith(_LEFT_OUT)),
    "tiktoken_ext",
    "tiktoken_ext.kimi_tokenizers_ext",
    *(["splintr"] if find_spec("splintr") else []),  # the quicker engine: whoever does not want it does not install it
]

# The overlays' Python is imported, and it is data as well: its source is checked, and copied to where exo executes it.
datas = [
    *collect_data_files("kimi_tokenizers"),
    *collect_data_files("kimi_tokenizers.overlays", include_py_files=True, includes=["**/*.py"]),
    *copy_metadata("kimi-tokenizers"),
]

# An app that wants these imports them itself.
excludedimports = ["_pytest", "gigatoken", "pytest", "watchfiles"]
