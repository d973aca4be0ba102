"""What a replay costs beside the time that Prometheus takes."""
