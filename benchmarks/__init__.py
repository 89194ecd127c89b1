"""What is measured; how to run it and what it gave is in README.md."""
