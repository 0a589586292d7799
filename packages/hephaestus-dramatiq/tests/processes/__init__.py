"""Web process and worker processes, on real servers, as users run them."""
