/* admin_tenant_insert */
-- The tenant, its first signing key and the event are one commit.
WITH made AS (
  INSERT INTO tenant (id, slug, display_name, create_unknown_users, dangerous_trust_email, accent_color, accent_color_dark,
                      logo)
  VALUES ($1, $2, $3, $4, $5, $17, $18, $19)
  RETURNING id, slug, display_name, status, epoch, version, create_unknown_users, dangerous_trust_email, accent_color,
            accent_color_dark, logo, created_at, updated_at
), key AS (
  INSERT INTO signing_key (id, tenant_id, kid, algorithm, state, public_key, sealed_key, master_key_id)
  SELECT $6::uuid, m.id, $7::text, $8::text, 2, $9::bytea, $10::bytea, $11::smallint FROM made m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $12::smallint, m.id, $13::smallint, m.id, $14::uuid, 1, $15::bytea, $16::bytea FROM made m
)
SELECT m.id AS "id!", m.slug AS "slug!", m.display_name AS "display_name!", m.status = 1 AS "active!",
       m.epoch AS "epoch!", m.version AS "version!", m.create_unknown_users AS "create_unknown_users!",
       m.dangerous_trust_email AS "dangerous_trust_email!", m.accent_color, m.accent_color_dark,
       sha256(m.logo) AS logo_sha256, m.created_at AS "created_at!", m.updated_at AS "updated_at!"
FROM made m
