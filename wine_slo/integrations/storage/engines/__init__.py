"""The databases that can hold the ledger; a dialect of SQL is spoken in no other folder."""
