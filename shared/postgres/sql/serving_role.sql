/* serving_role */
SELECT r.rolname::text AS "role!",
       current_setting('synchronous_commit') AS "synchronous_commit!",
       has_schema_privilege(r.oid, 'public', 'CREATE') AS "can_create!",
       r.rolsuper AS "is_superuser!"
FROM pg_roles AS r
WHERE r.rolname = current_user
