"""The kinds of objectives, one module for each: what it counts, how its value reads, whether it can be drilled."""
