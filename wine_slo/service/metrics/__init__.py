"""What the service counts."""
