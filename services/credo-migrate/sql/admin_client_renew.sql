/* admin_client_renew */
-- The tenant's oldest client is the one that bootstrap made. Its epoch ends what the old secrets were used for, its
-- version tells replicas that their copy of the client is stale, and the feed refuses tokens that are out. A disabled
-- client lives again, and with every scope: who has lost every way in must find one here.
WITH first AS MATERIALIZED (
  SELECT c.id, c.tenant_id FROM client AS c WHERE c.tenant_id = $1 ORDER BY c.id LIMIT 1 FOR NO KEY UPDATE
), renewed AS (
  UPDATE client AS c
  SET status = 1, scope = $2, epoch = c.epoch + 1, version = c.version + 1, updated_at = now()
  FROM first AS f
  WHERE c.id = f.id AND c.tenant_id = f.tenant_id
  RETURNING c.id, c.tenant_id, c.epoch
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 5, r.tenant_id, r.id, r.epoch, now() + interval '16 minutes' FROM renewed AS r
)
SELECT r.id FROM renewed AS r
