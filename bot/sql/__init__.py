"""The conversation log in SQL: SQLite by default, PostgreSQL by address, one code path for both."""
