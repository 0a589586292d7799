"""What travels together, and what goes alone."""
