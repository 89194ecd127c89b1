"""From rows of events, items and users to sequences and a catalogue.

Beam moves Arrow tables; what is done to them is NumPy and the functions of
`trainer.tables` and `trainer.behaviour`, on whole users at a time.
"""
