"""The knowledge base: from help articles to passages that answer. Never imports the bot."""
