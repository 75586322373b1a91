"""The bot: from a customer's message to a cited reply. Start at `turn.py`."""
