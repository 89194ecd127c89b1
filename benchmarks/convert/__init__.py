"""Writes public dumps in the data contract: `python -m benchmarks.convert`.

Nothing is downloaded: the dumps are those that people have fetched
themselves, under the terms of those who publish them.
"""
