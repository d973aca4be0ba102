"""Commands and buttons in the chat."""
