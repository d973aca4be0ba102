"""Files that people write or that we need for a while: text, YAML, folders for what does not last."""
