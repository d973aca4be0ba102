"""Objectives replayed over the past."""
