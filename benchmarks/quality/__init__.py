"""Runs data set x preset x variant x seed, and tables what came of it."""
