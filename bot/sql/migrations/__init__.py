"""How the database came to its present shape: one file per step under `versions`, run at start by `bot.sql.database`."""
