"""What is shown beside notifications: board, digest, charts, status page, metrics."""
