"""What a chat reads about incidents: a module for each family of messages."""
