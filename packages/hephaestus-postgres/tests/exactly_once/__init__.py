"""The effects of a transactional step, whatever ends its process."""
