/* user_admin_scope */
SELECT u.admin_scope FROM app_user u WHERE u.id = $1 AND u.tenant_id IS NOT DISTINCT FROM $2 AND u.status = 1
