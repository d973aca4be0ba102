"""How everything reads, in each language."""
