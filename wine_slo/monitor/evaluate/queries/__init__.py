"""What is queried of one metric source, and the readings of objectives that come of it."""
