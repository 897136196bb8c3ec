/* refresh_token_rotate_waiting */
-- refresh_token_rotate for a row that is locked elsewhere: waits, and holds what the decision rests on.
-- Every rule is a CASE over locked columns; the UPDATE names immutable columns and the outcome alone.
WITH locked AS MATERIALIZED (
  SELECT r.session_id, r.tenant_id, r.client_id, r.client_version, r.generation, r.secret_hash, r.new_hash,
         r.new_key_id, r.demoted, r.req_scope, r.req_attempt, r.slot, r.shard, r.core_rotated, r.core_retried,
         r.core_replayed, r.core_refused, r.personal, r.per_minute,
         s.user_id, s.client_id AS owner_id, s.state, s.tenant_epoch, s.client_epoch, s.user_epoch, s.refresh_hash,
         s.generation AS row_generation, s.key_id, s.attempt_id, s.rotated_at, s.expires_at, s.idle_ttl, s.scope,
         s.actor_core, s.auth_time, s.amr, s.claims, s.window_begins_at,
         CASE WHEN s.window_begins_at > now() - interval '1 minute' AND s.window_begins_at < now() + interval '1 minute'
              THEN s.window_count ELSE 0 END AS used,
         t.status AS t_status, t.epoch AS t_epoch, c.status AS c_status, c.version AS c_version, c.epoch AS c_epoch,
         c.refresh_grace_seconds AS c_refresh_grace_seconds, u.status AS u_status, u.epoch AS u_epoch
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::integer[], $6::bytea[], $7::bytea[], $8::smallint[],
              $9::boolean[], $10::text[], $11::uuid[], $12::smallint[], $13::smallint[], $14::bytea[], $15::bytea[],
              $16::bytea[], $17::bytea[], $18::bytea[], $19::integer[])
    AS r (session_id, tenant_id, client_id, client_version, generation, secret_hash, new_hash, new_key_id, demoted,
          req_scope, req_attempt, slot, shard, core_rotated, core_retried, core_replayed, core_refused, personal,
          per_minute)
  JOIN session s ON s.id = r.session_id AND s.tenant_id IS NOT DISTINCT FROM r.tenant_id
  JOIN tenant t   ON t.id = s.tenant_id
  JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id
  JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id
  ORDER BY s.id
  FOR SHARE OF t, c, u FOR NO KEY UPDATE OF s
), decided AS MATERIALIZED (
  SELECT l.session_id, l.tenant_id, l.client_id, l.req_attempt, l.slot, l.shard, l.core_rotated, l.core_retried,
         l.core_replayed, l.core_refused, l.personal, l.new_hash, l.new_key_id, l.user_id, l.scope,
         l.auth_time, l.amr, l.claims, l.row_generation, l.key_id, l.tenant_epoch, l.client_epoch, l.user_epoch, l.used,
         CASE WHEN l.used > 0 THEN l.window_begins_at ELSE now() END AS window_begins_at,
         CASE
           WHEN l.owner_id <> l.client_id                                      THEN 'WrongClient'
           WHEN l.t_status <> 1                                                  THEN 'TenantSuspended'
           WHEN l.c_status <> 1                                                  THEN 'ClientDisabled'
           WHEN l.c_version <> l.client_version OR l.user_epoch > l.u_epoch        THEN 'Stale'
           WHEN l.u_status <> 1                                                  THEN 'UserDisabled'
           WHEN l.state = 2 OR l.tenant_epoch <> l.t_epoch
             OR l.client_epoch <> l.c_epoch OR l.user_epoch <> l.u_epoch           THEN 'Revoked'
           WHEN l.state <> 1 OR l.generation > l.row_generation                THEN 'Future'
           WHEN l.attempt_id = l.req_attempt                                   THEN 'Retried'
           WHEN l.expires_at <= now() OR l.rotated_at + l.idle_ttl <= now()    THEN 'Expired'
           WHEN l.generation = l.row_generation AND l.refresh_hash = l.secret_hash
            AND NOT string_to_array(l.req_scope, ' ') <@ string_to_array(l.scope, ' ') THEN 'ScopeExceeded'
           WHEN l.used >= l.per_minute -- and else 'Rotated' or 'RetriedInGrace'
            AND (l.generation = l.row_generation AND l.refresh_hash = l.secret_hash
              OR l.generation = l.row_generation - 1 AND l.refresh_hash = l.new_hash AND l.c_refresh_grace_seconds > 0
             AND l.rotated_at + make_interval(secs => l.c_refresh_grace_seconds) > now()) THEN 'RateLimited'
           WHEN l.generation = l.row_generation AND l.refresh_hash = l.secret_hash THEN 'Rotated'
           WHEN l.generation = l.row_generation - 1 AND l.refresh_hash = l.new_hash AND l.c_refresh_grace_seconds > 0
            AND l.rotated_at + make_interval(secs => l.c_refresh_grace_seconds) > now() THEN 'RetriedInGrace'
           WHEN l.demoted                                                      THEN 'Demoted'
           ELSE 'Replayed'
         END AS outcome
  FROM locked l
), updated AS (
  UPDATE session s SET
    state        = CASE d.outcome WHEN 'Replayed' THEN 2 ELSE 1 END,
    refresh_hash = CASE WHEN d.outcome <> 'Replayed' THEN d.new_hash END,
    generation   = CASE d.outcome WHEN 'Rotated' THEN d.row_generation + 1 ELSE d.row_generation END,
    key_id       = CASE d.outcome WHEN 'RetriedInGrace' THEN d.key_id ELSE d.new_key_id END,
    attempt_id   = d.req_attempt,
    nonce        = NULL,
    rotated_at   = CASE d.outcome WHEN 'Rotated' THEN now() ELSE s.rotated_at END,
    ended_at     = CASE d.outcome WHEN 'Replayed' THEN now() END,
    end_reason   = CASE d.outcome WHEN 'Replayed' THEN 1 END,
    window_begins_at = d.window_begins_at,
    window_count = d.used + 1
  FROM decided d
  WHERE d.outcome IN ('Rotated', 'RetriedInGrace', 'Replayed')
    AND s.id = d.session_id AND s.tenant_id IS NOT DISTINCT FROM d.tenant_id
  RETURNING d.req_attempt, d.outcome, s.id, s.tenant_id, s.user_id, s.generation, s.key_id, s.scope, s.auth_time,
            s.amr, s.claims, s.tenant_epoch, s.client_epoch, s.user_epoch, s.window_begins_at, s.window_count, d.slot,
            d.shard, d.personal,
            CASE d.outcome WHEN 'Rotated' THEN d.core_rotated WHEN 'RetriedInGrace' THEN d.core_retried
              ELSE d.core_replayed END || s.actor_core AS core
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT n.slot, n.tenant_id, n.shard, n.id, n.req_attempt, 2, n.core, n.personal FROM updated n
  UNION ALL
  SELECT d.slot, d.tenant_id, d.shard, d.session_id, d.req_attempt, 2, d.core_refused, d.personal
  FROM decided d WHERE d.outcome = 'WrongClient'
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  SELECT 1, n.tenant_id, n.id, now() + interval '16 minutes' FROM updated n WHERE n.outcome = 'Replayed'
)
SELECT n.req_attempt AS "attempt_id!", n.outcome AS "outcome!", now() AS "at!", n.user_id AS "user_id!",
       n.generation AS "generation!", n.key_id AS "key_id!", n.scope AS "scope!", n.auth_time AS "auth_time!",
       n.amr AS "amr!", n.claims, n.tenant_epoch AS "tenant_epoch!", n.client_epoch AS "client_epoch!",
       n.user_epoch AS "user_epoch!", n.window_begins_at AS "window_begins_at!", n.window_count AS "window_count!"
FROM updated n
UNION ALL
SELECT d.req_attempt, d.outcome, now(), d.user_id, d.row_generation, d.key_id, d.scope, d.auth_time, d.amr,
       d.claims, d.tenant_epoch, d.client_epoch, d.user_epoch, d.window_begins_at, d.used
FROM decided d WHERE d.outcome NOT IN ('Rotated', 'RetriedInGrace', 'Replayed')
