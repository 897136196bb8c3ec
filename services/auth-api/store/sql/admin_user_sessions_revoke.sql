/* admin_user_sessions_revoke */
-- The row is locked. The new epoch ends every session and every browser's sign-in; the feed tells every replica.
WITH changed AS (
  UPDATE app_user u SET epoch = u.epoch + 1, version = u.version + 1, updated_at = now()
  WHERE u.tenant_id = $1 AND u.id = $2
  RETURNING id, tenant_id, email, email_verified, display_name, profile, status, admin_scope, epoch, version,
            created_at, updated_at
), feed AS (
  INSERT INTO revocation (kind, tenant_id, id, epoch, expires_at)
  SELECT 6, m.tenant_id, m.id, m.epoch, now() + interval '16 minutes' FROM changed m
), event AS (
  INSERT INTO outbox (slot, tenant_id, shard, aggregate, event_id, class, core, personal)
  SELECT $3::smallint, m.tenant_id, $4::smallint, m.id, $5::uuid, 1, $6::bytea, $7::bytea FROM changed m
)
SELECT m.id AS "id!", m.tenant_id AS "tenant_id!", m.email AS "email!", m.email_verified AS "email_verified!",
       m.display_name, m.profile AS "profile!: Json<Profile>", m.status = 1 AS "active!",
       m.admin_scope AS "admin_scope!", m.epoch AS "epoch!", m.version AS "version!", m.created_at AS "created_at!",
       m.updated_at AS "updated_at!"
FROM changed m
