"""How other tools write objectives down, each in its module."""
