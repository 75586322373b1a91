"""The web chat: Chainlit's page as a view of the conversation log. With app.py the only code that knows Chainlit."""
