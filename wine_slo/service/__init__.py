"""The wine service: a small machine-learning API and its form."""
