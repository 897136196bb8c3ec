/* consent_grant */
-- A person lets a client have more, and the event is of the same commit. Only a browser that is signed in now may say so.
-- What was revoked does not come back with it.
WITH decided AS MATERIALIZED (
  SELECT t.id AS tenant_id, u.id AS user_id, c.id AS client_id,
         CASE
           WHEN t.status <> 1 THEN 'TenantSuspended'
           WHEN c.status <> 1 THEN 'ClientDisabled'
           WHEN u.status <> 1 OR b.ended_at IS NOT NULL OR b.expires_at <= now() OR b.seen_at + b.idle_ttl <= now()
             OR b.tenant_epoch <> t.epoch OR b.user_epoch <> u.epoch THEN 'SignedOut'
           ELSE 'Granted'
         END AS outcome
  FROM browser_session b
  JOIN tenant t   ON t.id = b.tenant_id
  JOIN app_user u ON u.id = b.user_id AND u.tenant_id IS NOT DISTINCT FROM b.tenant_id
  JOIN client c   ON c.id = $3::uuid AND c.tenant_id IS NOT DISTINCT FROM b.tenant_id
  WHERE b.id = $2::uuid AND b.tenant_id IS NOT DISTINCT FROM $1::uuid
  FOR KEY SHARE OF u -- a deletion of the person must find the consent
), granted AS (
  INSERT INTO consent AS k (tenant_id, user_id, client_id, scope)
  SELECT d.tenant_id, d.user_id, d.client_id, $4::text FROM decided d WHERE d.outcome = 'Granted'
  ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET
    scope = CASE
      WHEN k.revoked_at IS NOT NULL THEN excluded.scope
      ELSE (SELECT string_agg(DISTINCT a.token, ' ')
            FROM unnest(string_to_array(k.scope, ' ') || string_to_array(excluded.scope, ' ')) AS a (token))
    END,
    granted_at = CASE WHEN k.revoked_at IS NOT NULL THEN now() ELSE k.granted_at END,
    updated_at = now(), revoked_at = NULL
  RETURNING client_id
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $5::smallint, d.tenant_id, $6::smallint, d.user_id, $7::uuid, 1, $8::bytea, $9::bytea
  FROM granted g
  JOIN decided d ON d.client_id = g.client_id
)
SELECT d.outcome AS "outcome!" FROM decided d
