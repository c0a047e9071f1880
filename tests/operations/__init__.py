"""Flows driven step by step: every step is seen, every answer is chosen, and only local files are real."""
