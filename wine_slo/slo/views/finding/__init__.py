"""Finding some of many objectives: what is searched for, and how much of everything that is."""
