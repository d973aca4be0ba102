"""The edge: one module for one outside thing, one door for one library."""
