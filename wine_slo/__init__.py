"""A small wine-classifying service, and an SLO monitor for Prometheus."""
