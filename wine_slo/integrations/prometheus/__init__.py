"""The Prometheus HTTP API."""
