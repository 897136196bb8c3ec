/* database_name */
SELECT quote_ident(current_database()) AS "name!"
