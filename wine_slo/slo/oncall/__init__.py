"""What people do about incidents: acknowledge, silence, undo."""
