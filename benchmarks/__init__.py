"""Programs that measure; each prints its table and writes it into docs/benchmarks.md."""
