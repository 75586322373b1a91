"""The agent desk: people take conversations over, and give them back. Knows no page and no HTTP."""
