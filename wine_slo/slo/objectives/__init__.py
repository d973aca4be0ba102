"""Objectives, their error budgets, and the queries that measure them."""
