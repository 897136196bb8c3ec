/* authorization_insert */
-- One row is the whole authorization. The row keeps the epochs of this snapshot, and an exchange that finds others
-- refuses; so what has an epoch needs no lock. The signed-in browser and the consent have none: whoever ends them waits for
-- the locks of this statement, and so finds the row that it makes. Behind a browser stands its session, alive by every rule
-- here, and who signed in to it and when; a client that must be allowed finds what it asks for in the consent. What opens the
-- admin APIs is the person's own, as their row says now. What is locked elsewhere, or absent, passes its item over: the
-- waiting form decides.
WITH browsers AS MATERIALIZED (
  SELECT b.id, b.tenant_id, b.user_id, b.device_id, b.auth_time, b.amr, b.ended_at, b.expires_at, b.seen_at, b.idle_ttl,
         b.tenant_epoch, b.user_epoch
  FROM (SELECT DISTINCT q.tenant_id, q.browser_session_id
        FROM unnest($2::uuid[], $25::uuid[]) AS q (tenant_id, browser_session_id)) q
  JOIN browser_session b ON b.id = q.browser_session_id AND b.tenant_id IS NOT DISTINCT FROM q.tenant_id
  ORDER BY b.id
  FOR SHARE OF b SKIP LOCKED
), consents AS MATERIALIZED (
  SELECT k.tenant_id, k.user_id, k.client_id, k.scope, k.revoked_at
  FROM (SELECT DISTINCT q.tenant_id, q.client_id, q.user_id
        FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $27::text[]) AS q (tenant_id, client_id, user_id, consent_scope)
        WHERE q.consent_scope IS NOT NULL) q
  JOIN consent k ON k.tenant_id = q.tenant_id AND k.user_id = q.user_id AND k.client_id = q.client_id
  ORDER BY k.tenant_id, k.user_id, k.client_id
  FOR SHARE OF k SKIP LOCKED
), attempts AS MATERIALIZED (
  SELECT a.tenant_id, a.account
  FROM (SELECT DISTINCT q.tenant_id, q.account
        FROM (SELECT p.tenant_id, p.account FROM unnest($2::uuid[], $19::bytea[]) AS p (tenant_id, account)
              UNION ALL
              SELECT p.tenant_id, p.account FROM unnest($2::uuid[], $28::bytea[]) AS p (tenant_id, account)) q
        WHERE q.account IS NOT NULL) q
  JOIN sign_in_attempt a ON a.tenant_id = q.tenant_id AND a.account = q.account
  ORDER BY a.tenant_id, a.account
  FOR NO KEY UPDATE OF a SKIP LOCKED
), decided AS MATERIALIZED (
  SELECT r.session_id, r.tenant_id, r.client_id, r.user_id, r.device_id, r.event_id, r.slot, r.shard, r.scope,
         r.actor_core, r.code_hash, r.code_challenge, r.redirect_uri, r.nonce, r.key_id, r.amr, r.account, r.device_account, r.core,
         r.personal, r.code_ttl_seconds, r.session_ttl_seconds, r.idle_ttl_seconds, r.browser_session_id, r.claims,
         b.auth_time AS browser_auth_time, b.amr AS browser_amr, b.device_id AS browser_device_id,
         t.epoch AS tenant_epoch, c.epoch AS client_epoch, u.epoch AS user_epoch,
         CASE
           WHEN t.status <> 1                 THEN 'TenantSuspended'
           WHEN c.status <> 1                 THEN 'ClientDisabled'
           WHEN c.version <> r.client_version THEN 'Stale'
           WHEN u.status <> 1                 THEN 'UserDisabled'
           WHEN p.version IS DISTINCT FROM r.password_version AND r.password_version IS NOT NULL THEN 'PasswordChanged'
           WHEN r.browser_session_id IS NOT NULL
            AND (b.user_id = r.user_id AND b.ended_at IS NULL AND b.expires_at > now() AND b.seen_at + b.idle_ttl > now()
                 AND b.tenant_epoch = t.epoch AND b.user_epoch = u.epoch) IS NOT TRUE THEN 'SignedOut'
           WHEN r.consent_scope IS NOT NULL
            AND (k.revoked_at IS NULL
                 AND string_to_array(r.consent_scope, ' ') <@ string_to_array(k.scope, ' ')) IS NOT TRUE THEN 'ConsentMissing'
           WHEN EXISTS (SELECT 1 FROM unnest(string_to_array(r.scope, ' ')) AS s (token)
                        WHERE s.token LIKE 'credo.%' AND s.token <> 'credo.sessions'
                          AND s.token <> ALL (string_to_array(u.admin_scope, ' '))) THEN 'AdminScopeMissing'
           ELSE 'Authorized'
         END AS outcome
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::smallint[], $8::smallint[],
              $9::bigint[], $10::bigint[], $11::text[], $12::bytea[], $13::bytea[], $14::bytea[], $15::text[],
              $16::text[], $17::smallint[], $18::text[], $19::bytea[], $20::bytea[], $21::bytea[],
              $22::double precision[], $23::double precision[], $24::double precision[], $25::uuid[], $26::text[],
              $27::text[], $28::bytea[])
    AS r (session_id, tenant_id, client_id, user_id, device_id, event_id, slot, shard, client_version,
          password_version, scope, actor_core, code_hash, code_challenge, redirect_uri, nonce, key_id, amr, account,
          core, personal, code_ttl_seconds, session_ttl_seconds, idle_ttl_seconds, browser_session_id, claims,
          consent_scope, device_account)
  JOIN tenant t        ON t.id = r.tenant_id
  JOIN client c        ON c.id = r.client_id AND c.tenant_id IS NOT DISTINCT FROM r.tenant_id
  JOIN app_user u      ON u.id = r.user_id AND u.tenant_id IS NOT DISTINCT FROM r.tenant_id
  LEFT JOIN password p ON p.user_id = r.user_id AND p.tenant_id IS NOT DISTINCT FROM r.tenant_id
  LEFT JOIN browsers b ON b.id = r.browser_session_id AND b.tenant_id IS NOT DISTINCT FROM r.tenant_id
  LEFT JOIN consents k
    ON k.tenant_id = r.tenant_id AND k.user_id = r.user_id AND k.client_id = r.client_id
  WHERE (r.browser_session_id IS NULL OR b.id IS NOT NULL)
    AND (r.consent_scope IS NULL OR k.scope IS NOT NULL)
    AND NOT EXISTS (
      SELECT 1 FROM sign_in_attempt a
      WHERE a.tenant_id = r.tenant_id AND a.account IN (r.account, r.device_account)
        AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.tenant_id = a.tenant_id AND l.account = a.account))
), inserted AS (
  INSERT INTO session (id, tenant_id, user_id, client_id, device_id, state, tenant_epoch, client_epoch, user_epoch,
                       scope, actor_core, code_hash, code_challenge, redirect_uri, nonce, code_expires_at, key_id,
                       attempt_id, auth_time, amr, expires_at, idle_ttl, browser_session_id, claims)
  SELECT d.session_id, d.tenant_id, d.user_id, d.client_id, coalesce(d.browser_device_id, d.device_id), 0, d.tenant_epoch, d.client_epoch,
         d.user_epoch, d.scope, d.actor_core, d.code_hash, d.code_challenge, d.redirect_uri, d.nonce,
         now() + make_interval(secs => d.code_ttl_seconds), d.key_id, d.event_id,
         coalesce(d.browser_auth_time, now()), coalesce(d.browser_amr, d.amr),
         now() + make_interval(secs => d.session_ttl_seconds), make_interval(secs => d.idle_ttl_seconds),
         d.browser_session_id, d.claims
  FROM decided d
  WHERE d.outcome = 'Authorized'
  ON CONFLICT (id) DO NOTHING -- the same attempt again, after a lost connection
  RETURNING id
), attempt AS (
  UPDATE sign_in_attempt a SET failures = 0, next_at = now()
  FROM decided d
  WHERE d.outcome = 'Authorized' AND d.account IS NOT NULL AND a.tenant_id = d.tenant_id AND a.account = d.account
), device_attempt AS (
  UPDATE sign_in_attempt a SET failures = 0, next_at = now()
  FROM decided d
  WHERE d.outcome = 'Authorized' AND d.device_account IS NOT NULL AND a.tenant_id = d.tenant_id
    AND a.account = d.device_account
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT d.slot, d.tenant_id, d.shard, d.session_id, d.event_id, 2, d.core, d.personal
  FROM inserted i
  JOIN decided d ON d.session_id = i.id
)
SELECT d.event_id AS "event_id!", d.outcome AS "outcome!" FROM decided d
