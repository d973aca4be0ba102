"""What a look of the watchdog costs."""
