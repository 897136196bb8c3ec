/* admin_tenant_delete */
-- The row is locked and stays, served by nothing: its slug is never free again. The new epoch ends whatever the tenant issued.
WITH changed AS (
  UPDATE tenant t SET status = 3, epoch = t.epoch + 1, version = t.version + 1, updated_at = now(), logo = NULL
  WHERE t.id = $1 -- tenant: the row is the tenant
  RETURNING id, slug, display_name, status, epoch, version, create_unknown_users, dangerous_trust_email, accent_color,
            accent_color_dark, logo, created_at, updated_at
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 4, m.id, m.id, m.epoch, now() + interval '16 minutes' FROM changed m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $2::smallint, m.id, $3::smallint, m.id, $4::uuid, 1, $5::bytea, $6::bytea FROM changed m
)
SELECT m.id AS "id!", m.slug AS "slug!", m.display_name AS "display_name!", m.status = 1 AS "active!",
       m.epoch AS "epoch!", m.version AS "version!", m.create_unknown_users AS "create_unknown_users!",
       m.dangerous_trust_email AS "dangerous_trust_email!", m.accent_color, m.accent_color_dark,
       sha256(m.logo) AS logo_sha256, m.created_at AS "created_at!", m.updated_at AS "updated_at!"
FROM changed m
