-- name: list_hindrances
-- reads: pg_class, pg_index, pg_constraint, pg_trigger
-- Obstacles to loading jobs and steps, as pairs of statements: one removes it, one restores it.
-- Row security is among it: while it binds the owner, foreign keys would be checked for one tenant's rows only.
WITH loaded AS (
    SELECT
        c.oid,
        c.relnamespace
    FROM pg_class AS c
    WHERE c.oid IN ('jobs'::regclass, 'job_steps'::regclass)
),
indexes AS (
    SELECT
        1 AS position,
        c.relname AS name,
        'DROP INDEX ' || c.oid::regclass AS take_away,
        pg_get_indexdef(c.oid) AS put_back
    FROM pg_index AS i
    JOIN loaded AS l ON l.oid = i.indrelid
    JOIN pg_class AS c ON c.oid = i.indexrelid
    -- The indexes of keys stay: they are filled in order, and foreign keys need them.
    WHERE NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)
),
foreign_keys AS (
    SELECT
        2 AS position,
        f.conname AS name,
        'ALTER TABLE ' || f.conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(f.conname) AS take_away,
        'ALTER TABLE ' || f.conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(f.conname)
        || ' ' || pg_get_constraintdef(f.oid) AS put_back
    FROM pg_constraint AS f
    JOIN loaded AS l ON l.oid = f.conrelid
    WHERE f.contype = 'f'
),
row_security AS (
    SELECT
        3 AS position,
        c.relname AS name,
        'ALTER TABLE ' || c.oid::regclass || ' NO FORCE ROW LEVEL SECURITY' AS take_away,
        'ALTER TABLE ' || c.oid::regclass || ' FORCE ROW LEVEL SECURITY' AS put_back
    FROM pg_class AS c
    WHERE c.relforcerowsecurity
        AND c.relnamespace IN (SELECT l.relnamespace FROM loaded AS l)
),
-- rebuild_rollups restores their notes and counts in the same transaction. Words are restored by nothing else, and noting
-- the rows for them is a statement's work, not a row's.
triggers AS (
    SELECT
        4 AS position,
        g.tgname AS name,
        'ALTER TABLE ' || g.tgrelid::regclass || ' DISABLE TRIGGER ' || quote_ident(g.tgname) AS take_away,
        'ALTER TABLE ' || g.tgrelid::regclass || ' ENABLE TRIGGER ' || quote_ident(g.tgname) AS put_back
    FROM pg_trigger AS g
    JOIN loaded AS l ON l.oid = g.tgrelid
    WHERE NOT g.tgisinternal
        AND g.tgenabled = 'O'
        AND pg_get_triggerdef(g.oid) LIKE '% AFTER INSERT ON %'
        AND g.tgfoid <> 'note_searched_rows'::regproc
),
hindrances AS (
    SELECT i.* FROM indexes AS i
    UNION ALL
    SELECT f.* FROM foreign_keys AS f
    UNION ALL
    SELECT r.* FROM row_security AS r
    UNION ALL
    SELECT g.* FROM triggers AS g
)
SELECT
    h.take_away,
    h.put_back
FROM hindrances AS h
ORDER BY
    h.position,
    h.name

-- name: give_memory
-- writes: settings
-- For this transaction: room to sort, and no time spent on compiling.
SELECT
    set_config('maintenance_work_mem', '256MB', true),
    set_config('work_mem', '64MB', true),
    set_config('jit', 'off', true),
    set_config('lock_timeout', '10s', true),
    set_config('statement_timeout', '0', true),
    set_config('client_min_messages', 'warning', true)
