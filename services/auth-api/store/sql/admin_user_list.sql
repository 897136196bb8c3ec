/* admin_user_list */
-- $2 is the last id of the page before, $3 the wanted status if one is wanted.
SELECT u.id, u.tenant_id, u.email, u.email_verified, u.display_name, u.profile AS "profile!: Json<Profile>",
       u.status = 1 AS "active!", u.admin_scope, u.epoch, u.version, u.created_at, u.updated_at
FROM app_user u
WHERE u.tenant_id = $1 AND ($2::uuid IS NULL OR u.id > $2) AND ($3::smallint IS NULL OR u.status = $3)
ORDER BY u.id
LIMIT $4
