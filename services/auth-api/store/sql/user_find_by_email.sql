/* user_find_by_email */
SELECT u.id, u.epoch
FROM app_user u
WHERE u.tenant_id = $1 AND u.email = $2 AND u.status = 1
