/* authorization_code_redeem_waiting */
-- authorization_code_redeem for a row that is locked elsewhere: waits, and holds what the decision rests on.
-- Every rule is a CASE over locked columns; the UPDATE names immutable columns and the outcome alone.
WITH locked AS MATERIALIZED (
  SELECT r.session_id, r.tenant_id, r.client_id, r.client_version, r.authenticated, r.secret_hash, r.redirect_uri,
         r.challenge, r.new_hash, r.new_key_id, r.req_attempt, r.slot, r.shard, r.core_redeemed, r.core_replayed,
         r.core_refused, r.personal,
         s.user_id, s.client_id AS owner_id, s.state, s.tenant_epoch, s.client_epoch, s.user_epoch, s.code_hash,
         s.code_challenge, s.redirect_uri AS row_redirect_uri, s.nonce, s.code_expires_at, s.attempt_id, s.generation,
         s.scope, s.actor_core, s.auth_time, s.amr, s.claims,
         t.status AS t_status, t.epoch AS t_epoch, c.status AS c_status, c.version AS c_version, c.epoch AS c_epoch,
         u.status AS u_status, u.epoch AS u_epoch
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::bytea[], $7::text[], $8::bytea[],
              $9::bytea[], $10::smallint[], $11::uuid[], $12::smallint[], $13::smallint[], $14::bytea[], $15::bytea[],
              $16::bytea[], $17::bytea[])
    AS r (session_id, tenant_id, client_id, client_version, authenticated, secret_hash, redirect_uri, challenge,
          new_hash, new_key_id, req_attempt, slot, shard, core_redeemed, core_replayed, core_refused, personal)
  JOIN session s ON s.id = r.session_id AND s.tenant_id IS NOT DISTINCT FROM r.tenant_id
  JOIN tenant t   ON t.id = s.tenant_id
  JOIN client c   ON c.id = s.client_id AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id
  JOIN app_user u ON u.id = s.user_id AND u.tenant_id IS NOT DISTINCT FROM s.tenant_id
  ORDER BY s.id
  FOR SHARE OF t, c, u FOR NO KEY UPDATE OF s
), decided AS MATERIALIZED (
  SELECT l.session_id, l.tenant_id, l.client_id, l.req_attempt, l.slot, l.shard, l.core_redeemed, l.core_replayed,
         l.core_refused, l.personal, l.new_hash, l.new_key_id, l.user_id, l.nonce, l.scope, l.actor_core, l.auth_time,
         l.amr, l.claims, l.generation, l.tenant_epoch, l.client_epoch, l.user_epoch,
         CASE
           WHEN l.owner_id <> l.client_id                                      THEN 'WrongClient'
           WHEN l.t_status <> 1                                                  THEN 'TenantSuspended'
           WHEN l.c_status <> 1                                                  THEN 'ClientDisabled'
           WHEN l.c_version <> l.client_version OR l.user_epoch > l.u_epoch        THEN 'Stale'
           WHEN l.u_status <> 1                                                  THEN 'UserDisabled'
           WHEN l.code_hash <> l.secret_hash                                   THEN 'Unknown'
           WHEN l.state = 2 OR l.tenant_epoch <> l.t_epoch
             OR l.client_epoch <> l.c_epoch OR l.user_epoch <> l.u_epoch           THEN 'Revoked'
           WHEN l.attempt_id = l.req_attempt                                   THEN 'Retried'
           WHEN l.state = 1 AND (l.authenticated
             OR coalesce(l.code_challenge = l.challenge, false))               THEN 'Replayed'
           WHEN l.state = 1                                                    THEN 'ReplayedUnproven'
           WHEN l.code_expires_at <= now()                                     THEN 'Expired'
           WHEN l.row_redirect_uri IS DISTINCT FROM l.redirect_uri             THEN 'RedirectUriMismatch'
           WHEN l.code_challenge IS DISTINCT FROM l.challenge                  THEN 'VerifierMismatch'
           ELSE 'Redeemed'
         END AS outcome
  FROM locked l
), updated AS (
  UPDATE session s SET
    state        = CASE d.outcome WHEN 'Redeemed' THEN 1 ELSE 2 END,
    refresh_hash = CASE d.outcome WHEN 'Redeemed' THEN d.new_hash END,
    generation   = CASE WHEN d.outcome = 'Redeemed' AND d.new_hash IS NOT NULL THEN 1 ELSE d.generation END,
    key_id       = d.new_key_id,
    attempt_id   = d.req_attempt,
    redeemed_at  = CASE d.outcome WHEN 'Redeemed' THEN now() ELSE s.redeemed_at END,
    rotated_at   = CASE d.outcome WHEN 'Redeemed' THEN now() ELSE s.rotated_at END,
    ended_at     = CASE d.outcome WHEN 'Replayed' THEN now() END,
    end_reason   = CASE d.outcome WHEN 'Replayed' THEN 1 END,
    window_begins_at = now(), -- an exchange is its session's first request
    window_count = 1
  FROM decided d
  WHERE d.outcome IN ('Redeemed', 'Replayed')
    AND s.id = d.session_id AND s.tenant_id IS NOT DISTINCT FROM d.tenant_id
  RETURNING d.req_attempt, d.outcome, s.id, s.tenant_id, s.user_id, s.generation, s.key_id, s.scope, s.nonce,
            s.auth_time, s.amr, s.claims, s.tenant_epoch, s.client_epoch, s.user_epoch, d.slot, d.shard, d.personal,
            CASE d.outcome WHEN 'Redeemed' THEN d.core_redeemed ELSE d.core_replayed END || s.actor_core AS core
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT n.slot, n.tenant_id, n.shard, n.id, n.req_attempt, 2, n.core, n.personal FROM updated n
  UNION ALL
  SELECT d.slot, d.tenant_id, d.shard, d.session_id, d.req_attempt, 2, d.core_refused, d.personal
  FROM decided d WHERE d.outcome IN ('WrongClient', 'ReplayedUnproven')
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, expires_at)
  SELECT 1, n.tenant_id, n.id, now() + interval '16 minutes' FROM updated n WHERE n.outcome = 'Replayed'
)
SELECT n.req_attempt AS "attempt_id!", n.outcome AS "outcome!", now() AS "at!", n.user_id AS "user_id!",
       n.generation AS "generation!", n.key_id AS "key_id!", n.scope AS "scope!", n.nonce, n.auth_time AS "auth_time!",
       n.amr AS "amr!", n.claims, n.tenant_epoch AS "tenant_epoch!", n.client_epoch AS "client_epoch!",
       n.user_epoch AS "user_epoch!"
FROM updated n
UNION ALL
SELECT d.req_attempt, d.outcome, now(), d.user_id, d.generation, d.new_key_id, d.scope, d.nonce, d.auth_time, d.amr,
       d.claims, d.tenant_epoch, d.client_epoch, d.user_epoch
FROM decided d WHERE d.outcome NOT IN ('Redeemed', 'Replayed')
