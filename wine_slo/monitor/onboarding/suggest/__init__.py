"""Which threshold and objective an SLI can have, by what a long past has been: counts first, then a replay."""
