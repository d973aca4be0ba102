"""Limits that the handlers enforce and the API's contract documents."""

LARGEST_BODY = 1024 * 1024  # bytes
MOST_SAMPLES = 1000  # wines in one body
LONGEST_SLEEP = 10.0  # seconds
USUAL_SLEEP = 2.0  # seconds; twice the shipped latency objective
