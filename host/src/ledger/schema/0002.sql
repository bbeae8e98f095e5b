-- The plugins folder: what files said of themselves, what was decided about them, and which build serves a connector.
-- The table of version 1 was never written to. `host` is what checked a file: another host checks it again.
-- `previous_hash` is what served before, until the build has proved itself.
DROP TABLE plugin;

CREATE TABLE plugin (
    file_hash   TEXT    PRIMARY KEY,
    file_name   TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    description TEXT    NOT NULL,
    host        TEXT    NOT NULL,
    standing    TEXT    NOT NULL,
    reason      TEXT,
    at          INTEGER NOT NULL
) STRICT;

CREATE TABLE connector (
    id            TEXT    PRIMARY KEY,
    file_name     TEXT    NOT NULL,
    file_hash     TEXT    NOT NULL REFERENCES plugin (file_hash),
    previous_hash TEXT    REFERENCES plugin (file_hash),
    at            INTEGER NOT NULL
) STRICT;
