/* admin_user_insert */
-- The user, the password if there is one, and the event are one commit. No row: the tenant does not exist.
WITH made AS (
  INSERT INTO app_user (id, tenant_id, email, email_verified, display_name, profile, admin_scope)
  SELECT $1::uuid, t.id, $3::text, $4::boolean, $5::text, $6::jsonb, $13::text
  FROM tenant t WHERE t.id = $2 AND t.status <> 3 -- tenant: the row is the tenant
  RETURNING id, tenant_id, email, email_verified, display_name, profile, status, admin_scope, epoch, version,
            created_at, updated_at
), secret AS (
  INSERT INTO password (user_id, tenant_id, hash)
  SELECT m.id, m.tenant_id, $7::text FROM made m WHERE $7::text IS NOT NULL
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $8::smallint, m.tenant_id, $9::smallint, m.id, $10::uuid, 1, $11::bytea, $12::bytea FROM made m
)
SELECT m.id AS "id!", m.tenant_id AS "tenant_id!", m.email AS "email!", m.email_verified AS "email_verified!",
       m.display_name, m.profile AS "profile!: Json<Profile>", m.status = 1 AS "active!",
       m.admin_scope AS "admin_scope!", m.epoch AS "epoch!", m.version AS "version!", m.created_at AS "created_at!", m.updated_at AS "updated_at!"
FROM made m
