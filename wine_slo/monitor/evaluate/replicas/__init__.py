"""Several metric sources that scrape the same targets, read as one."""
