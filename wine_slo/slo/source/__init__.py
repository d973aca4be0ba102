"""Where metrics come from, as the core sees it: the port to it, its clock, and the deployments that it shows."""
