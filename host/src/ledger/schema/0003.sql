-- Each new object writes a row or an entry for everything that is kept of it, so there are fewer of them.

-- Other ids of an object were never written by anybody. One index serves who asks by record, and who asks by record and
-- platform; the few links that were taken away have one of their own.
DROP INDEX link_alt;
ALTER TABLE link DROP COLUMN alt_ids;
DROP INDEX link_record;
DROP INDEX link_slot;
CREATE UNIQUE INDEX link_slot ON link (record, platform, kind, slot) WHERE record IS NOT NULL AND state <> 'removed';
CREATE INDEX link_removed ON link (record) WHERE record IS NOT NULL AND state = 'removed';

-- The last position that a record was given when it was made: facets up to there are what it began with. That needs no
-- line of history, since the record says when, whence and in which run. 0: it has a line.
ALTER TABLE record ADD COLUMN born INTEGER NOT NULL DEFAULT 0;
