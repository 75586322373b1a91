"""The report of a run: one page, its pictures and its words."""
