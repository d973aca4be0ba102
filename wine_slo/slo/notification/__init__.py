"""What a recipient is to be sent, and how."""
