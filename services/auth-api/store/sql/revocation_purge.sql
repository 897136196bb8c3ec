/* revocation_purge */
-- Forgets what no token that is still good can concern, an hour after its time: of the oldest so many, those that are over.
WITH turn AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock($1) AS held
), oldest AS MATERIALIZED (
  SELECT r.ctid AS place, r.tenant_id, r.expires_at
  FROM turn, revocation r
  WHERE turn.held AND r.xid >= '0'::xid8
  ORDER BY r.xid
  LIMIT $2
)
DELETE FROM revocation r USING oldest o
WHERE r.ctid = o.place AND r.tenant_id IS NOT DISTINCT FROM o.tenant_id AND o.expires_at < now() - interval '1 hour'
