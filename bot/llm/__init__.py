"""What can write an answer; for now the extractive answerer, which needs no key."""
