"""What an expression of PromQL counts: its tree, the events in it, and the indicator that they make."""
