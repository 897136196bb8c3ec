/* lease_take */
-- Takes or renews; no row comes back while another holder's time runs. By the database's clock alone.
INSERT INTO lease AS l (name, holder, term, expires_at)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder,
    term = CASE WHEN l.holder = excluded.holder THEN l.term ELSE l.term + 1 END,
    expires_at = clock_timestamp() + make_interval(secs => $3)
WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()
RETURNING term
