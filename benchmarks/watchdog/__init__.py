"""What an evaluation of the watchdog costs."""
