"""Several watchdogs on one PostgreSQL, what happens to them, and what must hold whatever happens."""
