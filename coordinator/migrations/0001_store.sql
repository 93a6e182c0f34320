-- One schema for SQLite and PostgreSQL: only what both take in the same way. SQLite accepts any name of a type, and keeps
-- bytes in a column of one that it does not know. Columns that end in _s or _ms are seconds or milliseconds since 1970,
-- save those of lengths; flags are 0 or 1.

-- Numbers that are given once, by what they are given to.
CREATE TABLE sequences (
    name TEXT NOT NULL PRIMARY KEY,
    free BIGINT NOT NULL
);

INSERT INTO sequences (name, free) VALUES ('series', 1), ('outbox', 1);

-- What is counted: an objective in a scope, in the ledger of a plan.
CREATE TABLE series (
    id BIGINT NOT NULL PRIMARY KEY,
    ledger TEXT NOT NULL,
    objective TEXT NOT NULL,
    scope TEXT NOT NULL,
    UNIQUE (ledger, objective, scope)
);

-- The buckets of series. The key begins with the time, so that the pages that every step writes lie side by side.
CREATE TABLE pages (
    start_s BIGINT NOT NULL,
    length_s BIGINT NOT NULL,
    series BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (start_s, length_s, series)
);

-- Whatever else a ledger needs after a crash.
CREATE TABLE memos (
    ledger TEXT NOT NULL PRIMARY KEY,
    bytes BYTEA NOT NULL
);

-- Alerts as they stand.
CREATE TABLE alerts (
    ledger TEXT NOT NULL,
    incident TEXT NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    rule TEXT NOT NULL,
    objective TEXT,
    scope TEXT NOT NULL,
    since_s BIGINT NOT NULL,
    is_silenced BIGINT NOT NULL,
    is_inhibited BIGINT NOT NULL,
    PRIMARY KEY (ledger, incident)
);

CREATE TABLE silences (
    ledger TEXT NOT NULL,
    id TEXT NOT NULL,
    objective TEXT,
    scope TEXT,
    from_s BIGINT NOT NULL,
    to_s BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (ledger, id)
);

-- Letters to notifiers. One that was delivered or refused stays for a while, so that it is not written twice.
CREATE TABLE outbox (
    id BIGINT NOT NULL PRIMARY KEY,
    ledger TEXT NOT NULL,
    notifier TEXT NOT NULL,
    incident TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    payload TEXT NOT NULL,
    made_at_s BIGINT NOT NULL,
    next_at_s BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    why TEXT,
    delivered_at_s BIGINT,
    refused_at_s BIGINT,
    UNIQUE (ledger, notifier, incident, sequence)
);

CREATE INDEX outbox_waiting ON outbox (ledger, next_at_s)
    WHERE delivered_at_s IS NULL AND refused_at_s IS NULL;

CREATE TABLE runs (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    job TEXT NOT NULL,
    began_ms BIGINT NOT NULL,
    length_ms BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    p95_us BIGINT,
    -- The JSON report.
    report BYTEA NOT NULL,
    -- The names of journeys and of their steps, by position: what the keys of ticks mean.
    journeys TEXT NOT NULL
);

CREATE INDEX runs_by_beginning ON runs (began_ms);

-- What each second of a run came to in a region: a tick as agents send it.
CREATE TABLE ticks (
    run TEXT NOT NULL,
    second BIGINT NOT NULL,
    region TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (run, second, region)
);

-- Broken promises of the edge, as the report tells them.
CREATE TABLE findings (
    run TEXT NOT NULL,
    number BIGINT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    region TEXT NOT NULL,
    class TEXT NOT NULL,
    times BIGINT NOT NULL,
    finding BYTEA NOT NULL,
    PRIMARY KEY (run, number)
);
