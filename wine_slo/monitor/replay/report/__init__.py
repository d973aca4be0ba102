"""The report of a replay, for the terminal, for machines and as a page."""
