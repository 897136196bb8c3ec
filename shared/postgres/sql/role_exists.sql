/* role_exists */
SELECT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = $1) AS "exists!"
