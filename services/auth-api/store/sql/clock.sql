/* clock */
-- The clock that dates every row.
SELECT now() AS "now!"
