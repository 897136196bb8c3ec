/* password_change */
-- One row ends everything that rests on the old password: the person's epoch. The browser that changed it goes on under
-- the new one, with a row of its own that replaces what it had. Locks: user, browser session, password.
WITH person AS MATERIALIZED (
  SELECT u.id, u.tenant_id, u.epoch
  FROM app_user u
  WHERE u.id = $1 AND u.tenant_id IS NOT DISTINCT FROM $2 AND u.status = 1
  FOR NO KEY UPDATE
), browser AS MATERIALIZED (
  SELECT b.id, b.tenant_id, b.user_id, b.device_id, b.tenant_epoch, b.expires_at, b.idle_ttl, p.epoch
  FROM person p
  JOIN browser_session b ON b.id = $3 AND b.tenant_id IS NOT DISTINCT FROM p.tenant_id
                        AND b.user_id IS NOT DISTINCT FROM p.id
  WHERE b.ended_at IS NULL AND b.user_epoch = p.epoch
  FOR NO KEY UPDATE OF b
), changed AS (
  UPDATE password p SET hash = $4, version = p.version + 1, updated_at = now()
  FROM browser b
  WHERE p.user_id = b.user_id AND p.tenant_id IS NOT DISTINCT FROM b.tenant_id AND p.version = $5
  RETURNING p.user_id
), bumped AS (
  UPDATE app_user u SET epoch = b.epoch + 1, version = u.version + 1, updated_at = now()
  FROM browser b
  JOIN changed c ON c.user_id = b.user_id
  WHERE u.id = b.user_id AND u.tenant_id IS NOT DISTINCT FROM b.tenant_id
  RETURNING u.id, u.tenant_id, u.epoch
), ended AS (
  UPDATE browser_session b SET ended_at = now()
  FROM bumped n
  WHERE b.id = $3 AND b.tenant_id IS NOT DISTINCT FROM n.tenant_id
), inserted AS (
  INSERT INTO browser_session (id, tenant_id, user_id, device_id, secret_hash, tenant_epoch, user_epoch, auth_time, amr,
                               user_agent, created_at, seen_at, expires_at, idle_ttl)
  SELECT $6::uuid, n.tenant_id, n.id, b.device_id, $7::bytea, b.tenant_epoch, n.epoch, now(), $8::text, $9::text, now(),
         now(), b.expires_at, b.idle_ttl
  FROM bumped n
  CROSS JOIN browser b
), attempt AS (
  UPDATE sign_in_attempt a SET failures = 0, next_at = now()
  FROM bumped n
  WHERE a.tenant_id = n.tenant_id AND a.account = ANY ($10::bytea[])
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $11::smallint, n.tenant_id, $12::smallint, n.id, $13::uuid, 1, $14::bytea, $15::bytea FROM bumped n
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 6, n.tenant_id, n.id, n.epoch, now() + interval '16 minutes' FROM bumped n
)
SELECT n.epoch FROM bumped n
