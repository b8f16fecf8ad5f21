"""What only a recorded trail can tell: what was never seen before, what is too much, what follows on what."""
