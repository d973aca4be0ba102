"""What many objectives and many label sets cost, beside Prometheus rules for the same objectives."""
