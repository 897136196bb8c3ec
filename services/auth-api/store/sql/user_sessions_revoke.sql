/* user_sessions_revoke */
-- One row ends every session of a person: their epoch. The session that may stay takes the new epoch, but only if it was
-- alive under the old one. Locks: user, then session.
WITH person AS MATERIALIZED (
  SELECT u.id, u.tenant_id, u.epoch
  FROM app_user u
  WHERE u.id = $1 AND u.tenant_id IS NOT DISTINCT FROM $2 AND u.status = 1
  FOR NO KEY UPDATE
), kept AS MATERIALIZED (
  SELECT s.id, s.tenant_id, p.epoch + 1 AS epoch, s.state = 1 AND s.user_epoch = p.epoch AS alive
  FROM person p
  JOIN session s ON s.id = $3 AND s.tenant_id IS NOT DISTINCT FROM p.tenant_id AND s.user_id IS NOT DISTINCT FROM p.id
  FOR NO KEY UPDATE OF s
), bumped AS (
  UPDATE app_user u SET epoch = p.epoch + 1, version = u.version + 1, updated_at = now()
  FROM person p WHERE u.id = p.id AND u.tenant_id IS NOT DISTINCT FROM p.tenant_id
  RETURNING u.id, u.tenant_id, u.epoch
), carried AS (
  UPDATE session s SET user_epoch = k.epoch
  FROM kept k WHERE k.alive AND s.id = k.id AND s.tenant_id IS NOT DISTINCT FROM k.tenant_id
  RETURNING s.id
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $4::smallint, b.tenant_id, $5::smallint, b.id, $6::uuid, 2, $7::bytea, $8::bytea FROM bumped b
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, except_sid, expires_at)
  SELECT 6, b.tenant_id, b.id, b.epoch, (SELECT c.id FROM carried c), now() + interval '16 minutes' FROM bumped b
)
SELECT b.epoch AS "epoch!", (SELECT c.id FROM carried c) AS except_sid FROM bumped b
