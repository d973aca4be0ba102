"""What a watchdog does while another one leads: it follows what that one writes, and shows it."""
