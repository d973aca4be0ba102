"""What keeps a ledger well: move it, check it, forget what is old."""
