"""How long two trainers take to one validation figure on the same events."""
