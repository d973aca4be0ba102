"""The reference pages in docs/reference/, as far as they are written from the code; `make reference` writes them."""
