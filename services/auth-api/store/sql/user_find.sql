/* user_find */
SELECT u.id, u.email, u.email_verified, u.display_name, u.profile AS "profile!: Json<Profile>", u.updated_at, u.epoch
FROM app_user u
WHERE u.id = $1 AND u.tenant_id IS NOT DISTINCT FROM $2 AND u.status = 1
