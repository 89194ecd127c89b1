"""What a running model server stands."""
