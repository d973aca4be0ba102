"""The SLO monitor: one folder for each feature."""
