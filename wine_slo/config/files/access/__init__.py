"""The files by which a server is trusted and knows us, read again when they change."""
