/* sign_in_attempt_purge */
-- Forgets counts that a success ended, and counts of 30 days ago, from a page of accounts (after $2, $3). A hundred failures stay:
-- what they shut is opened by a success, never by time.
WITH turn AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock($1) AS held
), page AS MATERIALIZED (
  SELECT a.tenant_id, a.account
  FROM turn, sign_in_attempt a
  WHERE turn.held AND (a.tenant_id, a.account) > ($2::uuid, $3::bytea)
  ORDER BY a.tenant_id, a.account
  LIMIT $4
), dead AS MATERIALIZED (
  SELECT a.tenant_id, a.account
  FROM page p
  JOIN sign_in_attempt a ON a.tenant_id = p.tenant_id AND a.account = p.account
  WHERE a.failures < 100
    AND a.attempted_at < now() - CASE a.failures WHEN 0 THEN interval '1 hour' ELSE interval '30 days' END
  FOR UPDATE OF a SKIP LOCKED
), gone AS (
  DELETE FROM sign_in_attempt a USING dead d WHERE a.tenant_id = d.tenant_id AND a.account = d.account
  RETURNING a.account
)
SELECT (SELECT held FROM turn) AS "held!", (SELECT count(*) FROM page) AS "looked_at!",
       (SELECT count(*) FROM gone) AS "removed!", last.tenant_id AS "last_tenant_id?", last.account AS "last_account?"
FROM (VALUES (1)) AS always (one)
LEFT JOIN (SELECT p.tenant_id, p.account FROM page p ORDER BY p.tenant_id DESC, p.account DESC LIMIT 1) last ON true
