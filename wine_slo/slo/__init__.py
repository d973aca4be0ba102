"""The core: objectives, their evaluation, and what is said about them. Standard library only, no I/O, no clock."""
