/* signing_key_count_by_master_key */
-- Of all tenants: what still needs which master key.
SELECT k.master_key_id, count(k.id) AS "keys!"
FROM signing_key k
WHERE k.state IN (1, 2, 3)
GROUP BY k.master_key_id
ORDER BY k.master_key_id
