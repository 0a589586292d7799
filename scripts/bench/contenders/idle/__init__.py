"""Apps that do nothing: each opens, prints the megabytes that it holds, and ends."""
