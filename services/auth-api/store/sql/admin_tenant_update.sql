/* admin_tenant_update */
-- The row is locked. The logo is changed if $11 says so: it is too large to be read for nothing. The feed tells every replica
-- that what it read of the tenant and its clients, until this is committed, is old.
WITH changed AS (
  UPDATE tenant t SET display_name = $7, create_unknown_users = $8, accent_color = $9, accent_color_dark = $10,
                      logo = CASE WHEN $11::boolean THEN $12::bytea ELSE t.logo END, version = t.version + 1,
                      updated_at = now()
  WHERE t.id = $1 -- tenant: the row is the tenant
  RETURNING id, slug, display_name, status, epoch, version, create_unknown_users, dangerous_trust_email, accent_color,
            accent_color_dark, logo, created_at, updated_at
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 8, m.id, m.id, (extract(epoch FROM clock_timestamp() + interval '5 seconds') * 1000000)::bigint,
         now() + interval '16 minutes'
  FROM changed m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $2::smallint, m.id, $3::smallint, m.id, $4::uuid, 1, $5::bytea, $6::bytea FROM changed m
)
SELECT m.id AS "id!", m.slug AS "slug!", m.display_name AS "display_name!", m.status = 1 AS "active!",
       m.epoch AS "epoch!", m.version AS "version!", m.create_unknown_users AS "create_unknown_users!",
       m.dangerous_trust_email AS "dangerous_trust_email!", m.accent_color, m.accent_color_dark,
       sha256(m.logo) AS logo_sha256, m.created_at AS "created_at!", m.updated_at AS "updated_at!"
FROM changed m
