/* admin_user_look_up */
SELECT u.id, u.tenant_id, u.email, u.email_verified, u.display_name, u.profile AS "profile!: Json<Profile>",
       u.status = 1 AS "active!", u.admin_scope, u.epoch, u.version, u.created_at, u.updated_at
FROM app_user u
WHERE u.tenant_id = $1 AND u.email = $2
