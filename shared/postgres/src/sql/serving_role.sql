/* serving_role */
SELECT r.rolname::text,
       current_setting('synchronous_commit'),
       has_schema_privilege(r.oid, 'public', 'CREATE'),
       r.rolsuper
FROM pg_roles AS r
WHERE r.rolname = current_user
