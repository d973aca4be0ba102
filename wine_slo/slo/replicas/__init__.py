"""Which of several metric sources that scrape the same targets an objective is judged by."""
