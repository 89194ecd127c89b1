"""What language models cost, and what they are worth to neighbours."""
