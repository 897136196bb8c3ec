/* session_revoke */
-- By the session's client (client_id given) or by its user (user_id given).
WITH locked AS MATERIALIZED (
  SELECT r.session_id, r.tenant_id, r.client_id, r.user_id, r.req_attempt, r.slot, r.shard, r.reason, r.core,
         r.personal, s.client_id AS owner_client_id, s.user_id AS owner_user_id, s.state
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::smallint[], $7::smallint[],
              $8::smallint[], $9::bytea[], $10::bytea[])
    AS r (session_id, tenant_id, client_id, user_id, req_attempt, slot, shard, reason, core, personal)
  JOIN session s ON s.id = r.session_id AND s.tenant_id IS NOT DISTINCT FROM r.tenant_id
  ORDER BY s.id
  FOR NO KEY UPDATE OF s SKIP LOCKED
), decided AS MATERIALIZED (
  SELECT l.session_id, l.tenant_id, l.req_attempt, l.slot, l.shard, l.reason, l.core, l.personal,
         CASE
           WHEN l.owner_client_id <> l.client_id OR l.owner_user_id <> l.user_id
             OR (l.client_id IS NULL AND l.user_id IS NULL) THEN 'WrongOwner'
           WHEN l.state = 2                                 THEN 'AlreadyEnded'
           ELSE 'Revoked'
         END AS outcome
  FROM locked l
), updated AS (
  UPDATE session s SET state = 2, refresh_hash = NULL, ended_at = now(), end_reason = d.reason,
                       attempt_id = d.req_attempt
  FROM decided d
  WHERE d.outcome = 'Revoked' AND s.id = d.session_id AND s.tenant_id IS NOT DISTINCT FROM d.tenant_id
  RETURNING d.req_attempt, d.outcome, s.id, s.tenant_id, d.slot, d.shard, d.personal, d.core || s.actor_core AS core
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT n.slot, n.tenant_id, n.shard, n.id, n.req_attempt, 2, n.core, n.personal FROM updated n
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  SELECT 1, n.tenant_id, n.id, now() + interval '16 minutes' FROM updated n
)
SELECT n.req_attempt AS "attempt_id!", n.outcome AS "outcome!" FROM updated n
UNION ALL
SELECT d.req_attempt, d.outcome FROM decided d WHERE d.outcome <> 'Revoked'
