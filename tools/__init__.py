"""Programs of developers, which nobody who runs wine-slo needs."""
