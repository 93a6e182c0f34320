-- Who counts into a ledger: one probe at a time, since two would write over each other's pages.
CREATE TABLE owners (
    ledger TEXT NOT NULL PRIMARY KEY,
    run TEXT NOT NULL,
    -- Which kernel and which of its lists of processes the number is from; empty where nobody can tell.
    machine TEXT NOT NULL,
    host TEXT NOT NULL,
    process BIGINT NOT NULL,
    -- When the process began, as the kernel counts, so that a number that was given anew is no life.
    process_began BIGINT NOT NULL,
    renewed_at_s BIGINT NOT NULL
);
