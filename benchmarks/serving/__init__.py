"""Our server beside its peers: throughput, latency, CPU, memory, start and size."""
