"""The newcomer test: the commands of README and tutorials, typed in a fresh clone, and what they print, compared."""
