"""What a Prometheus has that objectives can be made of: jobs, histograms, counters with a status, gauges of 0 and 1."""
