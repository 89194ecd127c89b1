"""The live catalogue: items that come and go between two trainings.

A journal beside the versions keeps what was added and removed; a server
applies it to the variables of the version that it has loaded.
"""
