-- name: server
-- reads:
-- Which server answers, and its clock.
SELECT
    current_setting('server_version'),
    current_setting('server_version_num')::integer,
    current_database(),
    current_user,
    extract(epoch FROM clock_timestamp())::float8

-- name: unprotected_tables
-- reads:
-- Tables whose rows somebody could see whatever tenant they belong to; the migrations' own record is none.
SELECT
    c.relname,
    c.relrowsecurity,
    c.relforcerowsecurity
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p')
    AND c.relname <> 'schema_migrations'
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
ORDER BY c.relname

-- name: count_tables
-- reads:
-- The number of tables with row security.
SELECT count(*)
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'p')
    AND c.relrowsecurity

-- name: find_tenant
-- reads: tenants
-- The id of the business with a slug; row security shows it because app.tenant_slug names it.
SELECT t.id
FROM tenants AS t
WHERE t.slug = %(slug)s

-- name: find_user
-- reads: users
-- Somebody to ask for: the one with an e-mail address or, when that is null, the first active admin.
SELECT
    u.id,
    u.role
FROM users AS u
WHERE u.tenant_id = %(tenant_id)s
    AND (%(email)s IS NULL AND u.is_active OR u.email_search = address_form(%(email)s))
ORDER BY
    u.email = %(email)s DESC,
    u.role <> 'admin',
    u.id
LIMIT 1

-- name: list_tenants
-- reads: tenants
-- Businesses, all or the one of a slug; the role that migrates sees them all.
SELECT
    t.id,
    t.slug
FROM tenants AS t
WHERE %(slug)s::text IS NULL
    OR t.slug = %(slug)s
ORDER BY t.id

-- name: list_parts
-- reads:
-- The parts of all tables that are cut by month, with their bytes, indexes included.
SELECT
    p.relname::text,
    c.relname::text,
    pg_total_relation_size(c.oid)
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
JOIN pg_class AS p ON p.oid = i.inhparent
WHERE p.relkind = 'p'
    AND p.relnamespace = 'public'::regnamespace
ORDER BY
    p.relname,
    c.relname

-- name: sees_all_tenants
-- reads:
-- Tell if this role sees the rows of all businesses: it owns the table, or is exempt from row security.
SELECT
    current_user::text,
    pg_has_role(c.relowner, 'USAGE') OR r.rolsuper OR r.rolbypassrls
FROM pg_class AS c
JOIN pg_roles AS r ON r.rolname = current_user
WHERE c.oid = 'tenants'::regclass

-- name: rollup_differences
-- reads: jobs, job_steps, machines, users, processes, customers, audit_logs, documents, contacts, conversations, messages, call_log, leads, response_approvals, campaigns, campaign_recipients, journeys, journey_contacts, journey_node_executions, journey_messages, notifications, workflow_execution_monitoring, tenants
-- The counts of a business that are not what its tables say, found in one snapshot.
SELECT
    d.metric,
    d.label,
    d.subject,
    nullif(d.day, '-infinity')::text,
    d.kept,
    d.counted
FROM rollup_differences(%(tenant_id)s) AS d
ORDER BY
    d.metric,
    d.label,
    d.subject,
    d.day

-- name: rebuild_rollups
-- writes: rollups, changes
-- Recount a business. Returns the number of wrong counts.
SELECT rebuild_rollups(%(tenant_id)s)

-- name: word_differences
-- reads: jobs, customers, contacts, leads, machines, processes, users, documents
-- The words kept for the search that are not those of the records, and words of records that are not kept: the first of
-- them, with the number of all.
SELECT
    d.source,
    d.row_id,
    d.word,
    d.is_kept,
    count(*) OVER () AS n
FROM word_differences(%(tenant_id)s) AS d
ORDER BY
    d.source,
    d.row_id,
    d.word
LIMIT %(most)s

-- name: rebuild_words
-- writes: search_pending, changes
-- Note the records whose words are wrong. Returns how many.
SELECT rebuild_words(%(tenant_id)s)

-- name: present_indexes
-- reads:
-- The indexes there are, with their table and whether they can be used.
SELECT
    c.relname,
    t.relname,
    i.indisvalid AND i.indisready
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace

-- name: custom_plans
-- reads:
-- Plan each statement of this transaction for its values.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: generic_plans
-- reads:
-- The number of times a statement of this session was executed by its generic plan.
SELECT p.generic_plans
FROM pg_prepared_statements AS p
WHERE p.name = %(name)s

-- name: list_collisions
-- reads: text_collisions
-- Rows of a business with the key or address of another row, which a migration found and kept.
SELECT
    c.table_name,
    c.column_name,
    c.row_id,
    c.other_id,
    c.value
FROM text_collisions AS c
WHERE c.tenant_id = %(tenant_id)s
ORDER BY c.id

-- name: named_contents
-- reads: documents
-- Which of these sha256 the documents of the business name as their stored content.
SELECT DISTINCT d.sha256
FROM documents AS d
WHERE d.tenant_id = %(tenant_id)s
    AND d.content_stored_at IS NOT NULL
    AND d.sha256 = ANY(%(names)s::text [])

-- name: remove_business
-- writes: tenants
-- Remove a business; every row that refers to it goes with it, and a trigger ends the tokens of its people.
DELETE FROM tenants AS t
WHERE t.id = %(tenant_id)s

-- name: note_closing
-- writes: audit_logs
-- Note in the audit log of a business that runs the service that another one was closed.
INSERT INTO audit_logs (tenant_id, action, entity, entity_id, changes)
VALUES (
    %(operator)s, 'close', 'tenant', %(closed)s,
    jsonb_build_object('slug', jsonb_build_array(%(slug)s::text, NULL), 'rows', jsonb_build_array(%(rows)s::bigint, NULL))
)

-- name: fold_rollups
-- writes: rollup_deltas, rollups, changes
-- Move deltas into the rollups. Returns how many, or null while a worker does it.
SELECT fold_rollups(%(most)s)

-- name: remove_counts
-- writes: rollups, search_pending, usage_by_day, alerts, checks
-- Remove the counts, the use, the alerts and the checks of a business that is gone, and the notes of its search.
WITH of_business AS (
    DELETE FROM rollups AS r
    WHERE r.tenant_id = %(tenant_id)s
),
searched AS (
    DELETE FROM search_pending AS p
    WHERE p.tenant_id = %(tenant_id)s
),
used AS (
    DELETE FROM usage_by_day AS u
    WHERE u.business = %(tenant_id)s
),
watched AS (
    DELETE FROM alerts AS a
    WHERE a.subject = 'business ' || %(tenant_id)s
)
DELETE FROM checks AS c
WHERE c.name = 'rollups ' || %(tenant_id)s
-- name: oldest_delivery
-- reads:
-- Seconds that the oldest delivery of all businesses has waited; null: none waits, or a table is locked.
SELECT CASE WHEN isfinite(d.created_at) THEN extract(epoch FROM clock_timestamp() - d.created_at)::float END
FROM oldest_delivery() AS d (created_at)
