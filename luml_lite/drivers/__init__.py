"""What performs flows: one driver blocks, one awaits; everything that decides is shared."""
