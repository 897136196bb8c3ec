/* admin_user_password_set */
-- The row of the user is locked. Without a hash ($8) there is no password any more. The password's version is the user's new
-- one, which is above every version that a password of theirs ever had: a proof of a removed one fits no later one.
WITH changed AS (
  UPDATE app_user u SET epoch = u.epoch + 1, version = u.version + 1, updated_at = now()
  WHERE u.tenant_id = $1 AND u.id = $2
  RETURNING id, tenant_id, email, email_verified, display_name, profile, status, admin_scope, epoch, version,
            created_at, updated_at
), removed AS (
  DELETE FROM password p USING changed m
  WHERE p.user_id = m.id AND p.tenant_id IS NOT DISTINCT FROM m.tenant_id AND $8::text IS NULL
), stored AS (
  INSERT INTO password AS p (user_id, tenant_id, hash, version)
  SELECT m.id, m.tenant_id, $8::text, m.version FROM changed m WHERE $8::text IS NOT NULL
  ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, version = excluded.version, updated_at = now()
), attempt AS (
  UPDATE sign_in_attempt a SET failures = 0, next_at = now()
  FROM changed m
  WHERE a.tenant_id = m.tenant_id AND a.account = ANY ($9::bytea[])
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
