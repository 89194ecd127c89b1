"""Language models from a user's own text, in any language."""
