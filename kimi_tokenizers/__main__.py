"""`python -m kimi_tokenizers`."""

from kimi_tokenizers.commands import main

raise SystemExit(main())
