"""One folder or module for each outside thing."""
