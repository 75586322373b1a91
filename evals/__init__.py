"""The evaluation: measures the bot and its parts on labelled data. Nothing imports it."""
