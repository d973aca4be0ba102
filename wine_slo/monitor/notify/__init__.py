"""Delivery to each recipient."""
