"""The values that pages, boards, digests and charts show."""
