"""What kimi-tokenizers puts in front of a model directory: data, and the two files that exo executes.

`common/` is shared by the whole Kimi K2 line; each other folder is one line and holds what is its own. `overlay.toml`
in it says which models it serves and lists every file with its size and SHA-256.
"""
