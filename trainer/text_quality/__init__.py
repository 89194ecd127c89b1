"""How good the items' text is, and tables with the worst of it cleaned."""
