-- Lets no entry of a run hold a result any more.
WITH gone AS (DELETE FROM {entries} WHERE run_id = $1 AND action = 'restored')
UPDATE {entries} SET is_result = false WHERE run_id = $1 AND is_result
