"""`python -m kimi_tokenizers`."""

from kimi_tokenizers.cli import main

main()
