/* commit_durably */
-- An owner's role need not have the setting that the serving roles have; an event that was printed must not be lost.
SET LOCAL synchronous_commit = on
