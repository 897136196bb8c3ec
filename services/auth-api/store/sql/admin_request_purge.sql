/* admin_request_purge */
-- One replica at a time, so many rows at a time; a row that is being claimed anew is left alone.
WITH turn AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock($1) AS held
), old AS (
  SELECT r.caller, r.request_id
  FROM turn, admin_request r
  WHERE turn.held AND r.created_at < now() - interval '24 hours'
  ORDER BY r.created_at
  LIMIT $2
  FOR UPDATE OF r SKIP LOCKED
)
DELETE FROM admin_request r USING old WHERE r.caller = old.caller AND r.request_id = old.request_id
