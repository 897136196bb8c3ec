/* admin_user_list_by_prefix */
-- admin_user_list for addresses that begin with $5. The comparison is by bytes, as the index is.
SELECT u.id, u.tenant_id, u.email, u.email_verified, u.display_name, u.profile AS "profile!: Json<Profile>",
       u.status = 1 AS "active!", u.admin_scope, u.epoch, u.version, u.created_at, u.updated_at
FROM app_user u
WHERE u.tenant_id = $1 AND ($2::uuid IS NULL OR u.id > $2) AND ($3::smallint IS NULL OR u.status = $3)
  AND u.email ~>=~ $5::text AND u.email ~<~ ($5::text || chr(1114111))
ORDER BY u.id
LIMIT $4
