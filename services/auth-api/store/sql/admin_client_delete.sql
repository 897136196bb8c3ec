/* admin_client_delete */
-- The row is locked and stays, served by nothing; what it was for goes. The new epoch ends whatever was issued to the client.
WITH changed AS (
  UPDATE client c SET status = 3, epoch = c.epoch + 1, version = c.version + 1, updated_at = now(),
                      redirect_uris = '{}', post_logout_redirect_uris = '{}', allowed_origins = '{}'
  WHERE c.tenant_id = $1 AND c.id = $2
  RETURNING id, tenant_id, epoch
), secrets AS (
  DELETE FROM client_secret s USING changed m WHERE s.tenant_id = m.tenant_id AND s.client_id = m.id
), consents AS (
  DELETE FROM consent n USING changed m WHERE n.tenant_id = m.tenant_id AND n.client_id = m.id
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 5, m.tenant_id, m.id, m.epoch, now() + interval '16 minutes' FROM changed m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $3::smallint, m.tenant_id, $4::smallint, m.id, $5::uuid, 1, $6::bytea, $7::bytea FROM changed m
)
SELECT m.epoch FROM changed m
