-- Why: refresh and exchange are limited by session, and the session's row is locked by them anyway: it carries its own window. No
-- index covers it, so that an update stays HOT. Serving roles have the table's grants. And half a page was a little too much: the
-- second versions of its rows need a line pointer each while the first ones' still stand, and of nine rows of 448 bytes one had
-- no room. 49 leaves it for every size of row.
-- Locks: session, ACCESS EXCLUSIVE for the catalogue alone: a constant default rewrites no row. Kind: expand.

SET LOCAL lock_timeout = '3s';

ALTER TABLE session
    ADD COLUMN window_begins_at timestamptz,
    ADD COLUMN window_count     integer NOT NULL DEFAULT 0,
    SET (fillfactor = 49);
