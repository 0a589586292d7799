"""The command `hephaestus`, as a shell would call it."""
