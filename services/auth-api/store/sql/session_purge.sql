/* session_purge */
-- Removes what ended 24 hours ago, and codes that nobody came for, from a page of ids ($2 to $3). Every token of it has expired
-- long since, and no statement makes any such row live again; a row that somebody holds is left for another time. What a
-- refresh or a code of a removed row gets is what a made-up one gets. The devices stay known: at most a hundred of a person.
WITH turn AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock($1) AS held
), page AS MATERIALIZED (
  SELECT s.id, s.tenant_id
  FROM turn, session s
  WHERE turn.held AND s.id > $2 AND s.id < $3
  ORDER BY s.id
  LIMIT $4
), dead AS MATERIALIZED (
  SELECT s.id, s.tenant_id
  FROM page p
  JOIN session s ON s.id = p.id AND s.tenant_id IS NOT DISTINCT FROM p.tenant_id
  WHERE CASE s.state
          WHEN 0 THEN s.code_expires_at < now() - interval '10 minutes'
          WHEN 2 THEN s.ended_at < now() - interval '24 hours'
          ELSE least(s.expires_at, s.rotated_at + s.idle_ttl) < now() - interval '24 hours'
        END
  FOR UPDATE OF s SKIP LOCKED
), gone AS (
  DELETE FROM session s USING dead d
  WHERE s.id = d.id AND s.tenant_id IS NOT DISTINCT FROM d.tenant_id
  RETURNING s.tenant_id, s.user_id, s.device_id, s.created_at
), remembered AS (
  INSERT INTO known_device AS k (user_id, device_id, tenant_id, seen_at)
  SELECT g.user_id, g.device_id, g.tenant_id, max(g.created_at)
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
