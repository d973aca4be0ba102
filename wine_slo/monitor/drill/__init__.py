"""The drill: a breach made on purpose."""
