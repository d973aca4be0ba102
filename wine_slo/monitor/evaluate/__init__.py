"""One evaluation: queries, readings, the next state."""
