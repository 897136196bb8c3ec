/* browser_session_purge */
-- Removes sign-ins of browsers that ended 24 hours ago, from a page of ids ($2). One that a session came from stays until that
-- one is removed: people see by it where they signed in. The devices stay known: at most a hundred of a person.
WITH turn AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock($1) AS held
), page AS MATERIALIZED (
  SELECT b.id, b.tenant_id
  FROM turn, browser_session b
  WHERE turn.held AND b.id > $2
  ORDER BY b.id
  LIMIT $3
), dead AS MATERIALIZED (
  SELECT b.id, b.tenant_id
  FROM page p
  JOIN browser_session b ON b.id = p.id AND b.tenant_id IS NOT DISTINCT FROM p.tenant_id
  WHERE least(b.ended_at, b.expires_at, b.seen_at + b.idle_ttl) < now() - interval '24 hours'
    AND NOT EXISTS (SELECT FROM session s
                    WHERE s.tenant_id = b.tenant_id AND s.user_id = b.user_id AND s.browser_session_id = b.id)
  FOR UPDATE OF b SKIP LOCKED
), gone AS (
  DELETE FROM browser_session b USING dead d
  WHERE b.id = d.id AND b.tenant_id IS NOT DISTINCT FROM d.tenant_id
  RETURNING b.tenant_id, b.user_id, b.device_id, b.seen_at
), remembered AS (
  INSERT INTO known_device AS k (user_id, device_id, tenant_id, seen_at)
  SELECT g.user_id, g.device_id, g.tenant_id, max(g.seen_at)
  FROM gone g
  JOIN app_user u ON u.id = g.user_id AND u.tenant_id IS NOT DISTINCT FROM g.tenant_id
  GROUP BY g.user_id, g.device_id, g.tenant_id
  ON CONFLICT (user_id, device_id) DO UPDATE SET seen_at = greatest(k.seen_at, excluded.seen_at)
), surplus AS (
  DELETE FROM known_device k
  USING (SELECT DISTINCT g.tenant_id, g.user_id FROM gone g) person
  CROSS JOIN LATERAL (SELECT o.device_id FROM known_device o
                      WHERE o.tenant_id = person.tenant_id AND o.user_id = person.user_id
                      ORDER BY o.seen_at DESC OFFSET 100) old
  WHERE k.tenant_id = person.tenant_id AND k.user_id = person.user_id AND k.device_id = old.device_id
    AND NOT EXISTS (SELECT FROM gone g WHERE g.user_id = k.user_id AND g.device_id = k.device_id)
)
SELECT (SELECT held FROM turn) AS "held!", (SELECT count(*) FROM page) AS "looked_at!",
       (SELECT count(*) FROM gone) AS "removed!", (SELECT p.id FROM page p ORDER BY p.id DESC LIMIT 1) AS last_id
