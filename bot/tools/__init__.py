"""What the bot can look up and do for a customer, and who decides that it may."""
