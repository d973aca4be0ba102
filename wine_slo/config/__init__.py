"""What an operator edits: settings, objectives, logging, translations."""
