-- Schema version 1. One file per client. Times are microseconds since 1970 UTC (INTEGER); JSON is canonical text.
-- Order of things is decided by rev, never by a clock.

CREATE TABLE instance (
    one              INTEGER PRIMARY KEY CHECK (one = 1),
    instance_id      TEXT    NOT NULL,
    epoch            INTEGER NOT NULL,
    boot             TEXT    NOT NULL,
    host_fingerprint TEXT    NOT NULL,
    mode             TEXT    NOT NULL CHECK (mode IN ('normal', 'safe')),
    safe_reason      TEXT,
    backup_at        INTEGER,
    automatic        INTEGER NOT NULL DEFAULT 0,
    last_rev         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL
) STRICT;

CREATE TABLE platform (
    id            INTEGER PRIMARY KEY,
    code          TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    connector     TEXT    NOT NULL,
    id_space      TEXT,
    account_id    TEXT,
    environment   TEXT    CHECK (environment IN ('live', 'test')),
    state         TEXT    NOT NULL CHECK (state IN ('setup', 'active', 'paused', 'recovering', 'removed')),
    state_reason  TEXT,
    settings      TEXT    NOT NULL,             -- JSON object by the connector's schema, no secrets
    policy        TEXT    NOT NULL,             -- model::policy::Policy
    policy_rev    INTEGER NOT NULL DEFAULT 1,   -- raised with every change of policy: `rules_rev` of sends
    grants        TEXT    NOT NULL DEFAULT '{}',-- what the operator allowed
    account       TEXT,                         -- model::description::Account as last read by `check`
    clock_skew_ms INTEGER NOT NULL DEFAULT 0,
    max_settle_s  INTEGER NOT NULL DEFAULT 30
) STRICT;

CREATE TABLE stream (
    platform     INTEGER NOT NULL REFERENCES platform (id),
    kind         TEXT    NOT NULL,
    phase        TEXT    NOT NULL DEFAULT 'off' CHECK (phase IN ('off', 'matching', 'review', 'live')),
    scope        TEXT,                           -- the scope under way: {since, until} of the open pull, JSON
    cursor       TEXT,
    watermark    INTEGER,
    ack_token    TEXT,
    ack_state    TEXT    CHECK (ack_state IN ('pending', 'done')),
    pulled_at    INTEGER,                        -- when the last complete pull of changes began
    sweep_at     INTEGER,
    cut_over_at  INTEGER,
    PRIMARY KEY (platform, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE action (
    id         INTEGER PRIMARY KEY,
    platform   INTEGER NOT NULL REFERENCES platform (id),
    direction  TEXT    NOT NULL CHECK (direction IN ('pull', 'push')),
    kind       TEXT    NOT NULL,
    start_mode TEXT    NOT NULL CHECK (start_mode IN ('manual', 'automatic', 'event')),
    schedule   TEXT,                             -- `every 5m` or a cron expression, when automatic
    options    TEXT    NOT NULL DEFAULT '{}',
    enabled    INTEGER NOT NULL DEFAULT 1,
    last_run   INTEGER,
    next_at    INTEGER,
    UNIQUE (platform, direction, kind)
) STRICT;

CREATE TABLE record (
    id              INTEGER PRIMARY KEY,
    kind            TEXT    NOT NULL,
    origin_platform INTEGER REFERENCES platform (id),
    state           TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted', 'merged')),
    merged_into     INTEGER REFERENCES record (id),
    product         INTEGER REFERENCES record (id),  -- of a variant: the product that groups it
    facets          TEXT    NOT NULL DEFAULT '{}',   -- {key: {b: body, h: hash, r: rev, a: as_of, f: platform id}}
    rev             INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    run_id          INTEGER
) STRICT;
CREATE INDEX record_product ON record (product) WHERE product IS NOT NULL;
CREATE INDEX record_merged ON record (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE record_key (
    kind   TEXT    NOT NULL,
    type   TEXT    NOT NULL,
    value  TEXT    NOT NULL,
    record INTEGER NOT NULL REFERENCES record (id),
    PRIMARY KEY (kind, type, value, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_key_record ON record_key (record);

-- One line per write of a record. What a facet became stands in the next line that names it, or in the record.
CREATE TABLE facet_history (
    id            INTEGER PRIMARY KEY,
    record        INTEGER NOT NULL REFERENCES record (id),
    at            INTEGER NOT NULL,
    from_platform INTEGER,
    rule          TEXT    NOT NULL,              -- owner, adopt, hand, merge, first
    run_id        INTEGER,
    was           TEXT    NOT NULL               -- [{k: key, r: rev, b: body before; absent: there was none}]
) STRICT;
CREATE INDEX facet_history_record ON facet_history (record);

CREATE TABLE link (
    id         INTEGER PRIMARY KEY,
    platform   INTEGER NOT NULL REFERENCES platform (id),
    kind       TEXT    NOT NULL,                 -- kind of hub record, or 'shipment'
    record     INTEGER REFERENCES record (id),
    slot       TEXT    NOT NULL DEFAULT 'main',
    remote_id  TEXT    NOT NULL,
    parent     TEXT,
    version    TEXT,
    alt_ids    TEXT    NOT NULL DEFAULT '[]',
    state      TEXT    NOT NULL CHECK (state IN ('live', 'gone', 'ignored', 'removed')),
    reason     TEXT,
    made_by    TEXT    NOT NULL CHECK (made_by IN ('pulled', 'created', 'matched', 'adopted', 'hand')),
    facets     TEXT    NOT NULL DEFAULT '{}',    -- {key: {sh: seen hash, sb: seen body, sa: seen at, tr: sent rev, th: sent hash, bh: base hash, rr: rules rev}}
    rev        INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    run_id     INTEGER,
    UNIQUE (platform, kind, remote_id)
) STRICT;
CREATE UNIQUE INDEX link_slot ON link (platform, kind, record, slot) WHERE record IS NOT NULL AND state <> 'removed';
CREATE INDEX link_record ON link (record) WHERE record IS NOT NULL;
CREATE INDEX link_alt ON link (platform, kind) WHERE alt_ids <> '[]';

CREATE TABLE never_match (
    platform  INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    remote_id TEXT    NOT NULL,
    record    INTEGER NOT NULL,
    PRIMARY KEY (platform, kind, remote_id, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE sublink (
    link      INTEGER NOT NULL REFERENCES link (id) ON DELETE CASCADE,
    part      TEXT    NOT NULL,
    local_key TEXT    NOT NULL,
    remote_id TEXT    NOT NULL,
    PRIMARY KEY (link, part, local_key),
    UNIQUE (link, part, remote_id)
) STRICT, WITHOUT ROWID;

-- The dirty set: superseding is the primary key. `kind` is the kind of push (product, price, stock ...).
CREATE TABLE want (
    platform   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    record     INTEGER NOT NULL REFERENCES record (id),
    key        TEXT    NOT NULL,                 -- facet key, or '' for the whole record, '!delete' for its removal
    reason     TEXT    NOT NULL CHECK (reason IN ('data', 'rules', 'drift', 'time', 'hand')),
    rev        INTEGER NOT NULL,
    not_before INTEGER,
    PRIMARY KEY (platform, kind, record, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    id            INTEGER PRIMARY KEY,
    record        INTEGER NOT NULL REFERENCES record (id),
    name          TEXT    NOT NULL,              -- placed, paid, cancelled, refunded, numbered, completed, shipment, changed
    ext_key       TEXT    NOT NULL,
    body          TEXT    NOT NULL,              -- frozen
    from_platform INTEGER NOT NULL,
    rev           INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    run_id        INTEGER,
    UNIQUE (record, name, ext_key)
) STRICT;

-- One row per event and platform that it goes to; in order of event.id per record.
CREATE TABLE delivery (
    event      INTEGER NOT NULL REFERENCES event (id),
    platform   INTEGER NOT NULL,
    record     INTEGER NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('due', 'open', 'done', 'void')),
    reason     TEXT,
    PRIMARY KEY (platform, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (platform, record, event) WHERE state IN ('due', 'open');

CREATE TABLE intent (
    id         INTEGER PRIMARY KEY,
    platform   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,                 -- kind of push
    lane       TEXT    NOT NULL,                 -- product, price, stock, category, customer, order: one open write per record and lane
    record     INTEGER NOT NULL REFERENCES record (id),
    event      INTEGER REFERENCES event (id),
    op         TEXT    NOT NULL CHECK (op IN ('create', 'create-done', 'resume', 'update', 'delete', 'apply')),
    idem_key   TEXT    NOT NULL,
    marker     TEXT,
    body       TEXT    NOT NULL,                 -- model::Record to be pushed
    revs       TEXT    NOT NULL DEFAULT '{}',    -- {facet key: {r: rev, h: projection hash}} that this write carries
    state      TEXT    NOT NULL CHECK (state IN ('planned', 'sending', 'done', 'refused', 'retry', 'unknown', 'superseded', 'cancelled', 'waiting', 'dismissed')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    uncertain  INTEGER NOT NULL DEFAULT 0,       -- was unknown once: find before the next create
    absent_at  INTEGER,                          -- unknown: when a lookup first proved that it is not there
    released   INTEGER NOT NULL DEFAULT 0,       -- a person let this plan through the guard; a changed plan is asked for again
    not_before INTEGER,
    sent_at    INTEGER,
    boot       TEXT,
    epoch      INTEGER,
    remote_id  TEXT,
    parts      TEXT    NOT NULL DEFAULT '[]',
    error      TEXT,
    total      TEXT,
    run_id     INTEGER,
    created_at INTEGER NOT NULL,
    ended_at   INTEGER,
    UNIQUE (platform, idem_key)
) STRICT;
CREATE UNIQUE INDEX intent_open ON intent (platform, record, lane) WHERE state IN ('planned', 'sending', 'unknown', 'retry', 'waiting');
CREATE INDEX intent_state ON intent (state, platform, kind);
CREATE INDEX intent_record ON intent (record);

CREATE TABLE wait (
    what       TEXT    NOT NULL CHECK (what IN ('intent', 'inbox', 'want')),
    what_id    TEXT    NOT NULL,                 -- intent or inbox id; want as platform/kind/record
    reason_key TEXT    NOT NULL,
    PRIMARY KEY (what, what_id, reason_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX wait_reason ON wait (reason_key);

CREATE TABLE inbox (
    id        INTEGER PRIMARY KEY,
    platform  INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    remote_id TEXT,
    raw       TEXT    NOT NULL,                  -- as read; a record that matched several as canonical JSON of model::Record
    hint_key  TEXT,
    state     TEXT    NOT NULL CHECK (state IN ('new', 'applied', 'held')),
    reason    TEXT,
    at        INTEGER NOT NULL,
    run_id    INTEGER
) STRICT;
CREATE UNIQUE INDEX inbox_held ON inbox (platform, kind, remote_id) WHERE state = 'held' AND remote_id IS NOT NULL;
CREATE UNIQUE INDEX inbox_hint ON inbox (platform, kind, hint_key) WHERE state = 'new' AND hint_key IS NOT NULL;

CREATE TABLE reservation (
    id          INTEGER PRIMARY KEY,
    "order"     INTEGER NOT NULL REFERENCES record (id),
    line        TEXT    NOT NULL,
    variant     INTEGER NOT NULL REFERENCES record (id),
    qty         TEXT    NOT NULL,                -- decimal
    shop        INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    accepted_at INTEGER,
    shipped_qty TEXT    NOT NULL DEFAULT '0',
    state       TEXT    NOT NULL CHECK (state IN ('open', 'released')),
    UNIQUE ("order", line)
) STRICT;
CREATE INDEX reservation_variant ON reservation (variant) WHERE state = 'open';

CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    action     INTEGER REFERENCES action (id),
    platform   INTEGER NOT NULL,
    direction  TEXT    NOT NULL,                 -- pull, push, settle, sweep, onboard, backfill
    kind       TEXT    NOT NULL,
    cause      TEXT    NOT NULL,                 -- manual, automatic, event, recovery
    preview    INTEGER NOT NULL DEFAULT 0,
    state      TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'done_with_issues', 'failed', 'cancelled', 'interrupted', 'held', 'resting')),
    until      INTEGER,
    boot       TEXT    NOT NULL,
    connector  TEXT,                             -- id and version that served
    counts     TEXT    NOT NULL DEFAULT '{}',
    message    TEXT,
    queued_at  INTEGER NOT NULL,
    started_at INTEGER,
    ended_at   INTEGER
) STRICT;
CREATE INDEX run_state ON run (state) WHERE state IN ('queued', 'running', 'held', 'resting');
CREATE INDEX run_queued_at ON run (queued_at);

-- What a run did to a record; the history of a record is read from here, facet_history, event and intent.
CREATE TABLE run_item (
    run     INTEGER NOT NULL REFERENCES run (id),
    n       INTEGER NOT NULL,
    record  INTEGER,
    remote  TEXT,
    what    TEXT    NOT NULL,                    -- created, updated, deleted, matched, ignored, unchanged, waiting, refused, unknown, held, unreadable, event
    detail  TEXT,
    at      INTEGER NOT NULL,
    PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_item_record ON run_item (record) WHERE record IS NOT NULL;

CREATE TABLE attention (
    id        INTEGER PRIMARY KEY,
    cause_key TEXT    NOT NULL,
    platform  INTEGER,
    kind      TEXT,
    record    INTEGER,
    title     TEXT    NOT NULL,                  -- what happened, a sentence
    hint      TEXT    NOT NULL,                  -- what to do
    choices   TEXT    NOT NULL DEFAULT '[]',     -- [{name, title}]: answers that `answer` takes
    data      TEXT    NOT NULL DEFAULT '{}',
    count     INTEGER NOT NULL DEFAULT 1,        -- records that wait for the same answer
    state     TEXT    NOT NULL CHECK (state IN ('open', 'answered', 'dismissed', 'solved')),
    answer    TEXT,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    run_id    INTEGER
) STRICT;
CREATE UNIQUE INDEX attention_open ON attention (cause_key) WHERE state = 'open';

CREATE TABLE storage (
    platform INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    value    BLOB    NOT NULL,
    PRIMARY KEY (platform, key)
) STRICT, WITHOUT ROWID;

-- Content lives in files named by `content`; a platform knows a blob only by its own random id.
CREATE TABLE blob (
    platform   INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    media_type TEXT    NOT NULL,
    name       TEXT,
    url        TEXT,                             -- where it was fetched from
    at         INTEGER NOT NULL,
    PRIMARY KEY (platform, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_content ON blob (content);
CREATE INDEX blob_url ON blob (platform, url) WHERE url IS NOT NULL;

CREATE TABLE secret (
    platform INTEGER NOT NULL,
    name     TEXT    NOT NULL,                   -- credential/field
    sealed   BLOB    NOT NULL,
    set_at   INTEGER NOT NULL,
    PRIMARY KEY (platform, name)
) STRICT, WITHOUT ROWID;

-- What `describe` said, by hash of the file.
CREATE TABLE plugin (
    file_hash   TEXT    PRIMARY KEY,
    file_name   TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    description TEXT    NOT NULL,
    at          INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    what   TEXT    NOT NULL,
    detail TEXT    NOT NULL DEFAULT '{}'
) STRICT;
