"""Where metrics come from, as the core sees it: the port to it, and its clock beside that of this machine."""
