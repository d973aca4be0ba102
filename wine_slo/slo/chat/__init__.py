"""What goes to a channel and what comes from it."""
