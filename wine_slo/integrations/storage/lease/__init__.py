"""The lease of the ledger: its rows, the fence around every write, and who keeps it."""
