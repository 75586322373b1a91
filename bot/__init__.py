"""The bot: from a customer's message to a cited reply. Start at `turn.py`."""

import logging

# Set before the library is imported, when it tells of each of its own parts.
logging.getLogger("alembic").setLevel(logging.WARNING)
