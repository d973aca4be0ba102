"""What `docs/walkthrough.ipynb` stands on: its processes, its traffic and its figures."""
