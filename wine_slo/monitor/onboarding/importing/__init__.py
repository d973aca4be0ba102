"""Objectives of other tools, as objectives of slo.yml: texts in, mappings and remarks out."""
