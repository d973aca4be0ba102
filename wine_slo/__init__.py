"""A small wine-classifying service and the watchdog of its promises."""
