"""The Telegram Bot API: one door for python-telegram-bot."""

import sys

# The command line of httpx, which python-telegram-bot uses and nobody calls: 4 MB of rich, pygments and click.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # as if its extra were not installed
