/* admin_user_delete */
-- A row that is gone ends what was issued for it as a new epoch does: no statement finds its user any more. The feed tells
-- every replica. Waits for a sign-in or a consent that holds the row; admin_user_traces_delete sees what it made.
WITH secret AS (
  DELETE FROM password p WHERE p.user_id = $2 AND p.tenant_id IS NOT DISTINCT FROM $1
), gone AS (
  DELETE FROM app_user u WHERE u.tenant_id = $1 AND u.id = $2
  RETURNING u.id, u.tenant_id, u.epoch
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 6, m.tenant_id, m.id, m.epoch + 1, now() + interval '16 minutes' FROM gone m
)
INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
SELECT $3::smallint, m.tenant_id, $4::smallint, m.id, $5::uuid, 1, $6::bytea, $7::bytea FROM gone m
