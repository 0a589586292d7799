-- Appends entries to histories, each once.
{write_entries}
ON CONFLICT DO NOTHING
