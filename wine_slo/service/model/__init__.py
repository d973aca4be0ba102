"""The model: its features, its training, its file."""
