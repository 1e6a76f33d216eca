-- fragment: last_change_of_jobs
        SELECT coalesce(max(j.updated_at), (SELECT t.created_at FROM tenants AS t WHERE t.id = %(tenant_id)s))
        FROM jobs AS j
        WHERE j.tenant_id = %(tenant_id)s

-- name: stats
-- reads: jobs, job_steps, machines, users, leads, response_approvals, campaigns, campaign_recipients, journeys, journey_contacts, problems, tenants
-- Counts of jobs, of the caller's own tasks, of machines, leads, approvals, campaigns and journeys and, for those who
-- manage, of users. What everybody may list, everybody has the number of; what only some may, only they.
WITH clock AS (
    SELECT
        t.created_at,
        coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
),
-- Of those who may not see what inactive people left, nothing of that is read.
inactive AS MATERIALIZED (
    SELECT ARRAY(
        SELECT u.id
        FROM users AS u
        WHERE u.tenant_id = %(tenant_id)s
            AND NOT u.is_active
            AND %(role)s IN ('admin', 'manager')
    ) AS people
),
-- Open jobs are counted by the day they are due; what is not by day has the first of all days.
counts AS MATERIALIZED (
    SELECT
        c.metric,
        c.day,
        c.label,
        c.n
    FROM rollup_counts(
        %(tenant_id)s, ARRAY['jobs', 'open_jobs', 'machines', 'users_active', 'users_blocked']
    ) AS c
    WHERE c.day <= (SELECT today FROM clock)
),
counts_of_today AS MATERIALIZED (
    SELECT
        c.metric,
        c.subject,
        c.label,
        c.n
    FROM rollup_counts(
        %(tenant_id)s,
        ARRAY[
            'leads', 'leads_by_day', 'response_approvals', 'response_approvals_by_day', 'campaigns', 'journeys',
            'journey_contacts_by_label', 'open_steps', 'steps_completed', 'problems'
        ]
    ) AS c
    WHERE c.day IN ('-infinity', (SELECT today FROM clock))
        -- Counts that are not per person have the subject 0.
        AND c.subject = ANY((SELECT ARRAY[0, %(user_id)s] || i.people FROM inactive AS i)::bigint [])
),
/* include job_stats */,
/* include due_stats */,
task_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'open_steps' AND c.label = 'pending'), 0)::bigint AS pending,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'open_steps' AND c.label = 'in_progress'), 0)::bigint AS in_progress,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'steps_completed'), 0)::bigint AS completed_today
    FROM counts_of_today AS c
    WHERE c.subject = %(user_id)s
),
machine_stats AS (
    SELECT
        coalesce(sum(c.n), 0)::bigint AS total,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'active'), 0)::bigint AS active,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'maintenance'), 0)::bigint AS maintenance,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'inactive'), 0)::bigint AS inactive
    FROM counts AS c
    WHERE c.metric = 'machines'
),
user_stats AS (
    SELECT
        coalesce(sum(c.n), 0)::bigint AS total,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'users_active'), 0)::bigint AS active,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'users_active' AND c.label = 'admin'), 0)::bigint AS admin,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'users_active' AND c.label = 'manager'), 0)::bigint AS manager,
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'users_active' AND c.label = 'operator'), 0)::bigint AS operator
    FROM counts AS c
    WHERE c.metric IN ('users_active', 'users_blocked')
),
left_stats AS (
    SELECT coalesce(sum(c.n), 0)::bigint AS steps
    FROM counts_of_today AS c
    WHERE c.metric = 'open_steps'
        AND c.subject = ANY((SELECT i.people FROM inactive AS i)::bigint [])
),
/* include lead_stats */,
/* include approval_stats */,
campaign_stats AS (
    SELECT
        coalesce(sum(c.n), 0)::bigint AS total,
        coalesce(sum(c.n) FILTER (WHERE c.label IN ('scheduled', 'running')), 0)::bigint AS active,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'paused'), 0)::bigint AS paused
    FROM counts_of_today AS c
    WHERE c.metric = 'campaigns'
),
-- Read for the active campaigns alone: as many rows as those have statuses, however many recipients there are.
recipient_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.label <> 'pending'), 0)::bigint AS sent,
        coalesce(sum(c.n) FILTER (WHERE c.label IN ('opened', 'clicked', 'converted')), 0)::bigint AS opened
    FROM rollup_counts(%(tenant_id)s, ARRAY['campaign_recipients']) AS c
    WHERE c.day = '-infinity'
        AND c.subject = ANY(ARRAY(
            SELECT k.id
            FROM campaigns AS k
            WHERE k.tenant_id = %(tenant_id)s
                AND k.status IN ('scheduled', 'running')
        ))
),
journey_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.metric = 'journeys' AND c.label = 'active'), 0)::bigint AS active,
        coalesce(
            sum(c.n) FILTER (WHERE c.metric = 'journey_contacts_by_label' AND c.label = 'active'), 0
        )::bigint AS under_way,
        coalesce(
            sum(c.n) FILTER (WHERE c.metric = 'journey_contacts_by_label' AND c.label = 'paused'), 0
        )::bigint AS paused,
        coalesce(
            sum(c.n) FILTER (WHERE c.metric = 'journey_contacts_by_label' AND c.label = 'failed'), 0
        )::bigint AS failed
    FROM counts_of_today AS c
),
problem_stats AS (
    SELECT
        coalesce(sum(c.n) FILTER (WHERE c.label = 'open'), 0)::bigint AS open,
        coalesce(sum(c.n) FILTER (WHERE c.label = 'answered'), 0)::bigint AS answered
    FROM counts_of_today AS c
    WHERE c.metric = 'problems'
),
last_change AS (
    SELECT greatest(
        (SELECT max(j.updated_at) FROM jobs AS j WHERE j.tenant_id = %(tenant_id)s),
        (SELECT max(s.updated_at) FROM job_steps AS s WHERE s.tenant_id = %(tenant_id)s),
        (SELECT max(m.updated_at) FROM machines AS m WHERE m.tenant_id = %(tenant_id)s),
        (SELECT max(i.updated_at) FROM problems AS i WHERE i.tenant_id = %(tenant_id)s),
        (SELECT max(l.updated_at) FROM leads AS l WHERE l.tenant_id = %(tenant_id)s),
        (SELECT max(a.updated_at) FROM response_approvals AS a WHERE a.tenant_id = %(tenant_id)s),
        (SELECT max(k.updated_at) FROM campaigns AS k WHERE k.tenant_id = %(tenant_id)s),
        (SELECT max(r.updated_at) FROM campaign_recipients AS r WHERE r.tenant_id = %(tenant_id)s),
        (SELECT max(g.updated_at) FROM journeys AS g WHERE g.tenant_id = %(tenant_id)s),
        (SELECT max(p.updated_at) FROM journey_contacts AS p WHERE p.tenant_id = %(tenant_id)s),
        (
            SELECT max(u.updated_at)
            FROM users AS u
            WHERE u.tenant_id = %(tenant_id)s
                AND %(role)s IN ('admin', 'manager')
        )
    ) AS changed_at
)
SELECT json_strip_nulls(json_build_object(
    'jobs', json_build_object(
        'total', j.total,
        'draft', j.draft,
        'active', j.active,
        'on_hold', j.on_hold,
        'completed', j.completed,
        'cancelled', j.cancelled,
        'overdue', d.overdue,
        'due_today', d.due_today,
        'links', json_build_object(
            'total', '/api/jobs',
            'draft', '/api/jobs?status=draft',
            'active', '/api/jobs?status=active',
            'on_hold', '/api/jobs?status=on_hold',
            'completed', '/api/jobs?status=completed',
            'cancelled', '/api/jobs?status=cancelled',
            'overdue', '/api/jobs?overdue=true&sort=due_date',
            'due_today', '/api/jobs?due_today=true&sort=due_date'
        )
    ),
    'tasks', json_build_object(
        'pending', w.pending,
        'in_progress', w.in_progress,
        'completed_today', w.completed_today,
        'links', json_build_object(
            'pending', '/api/job-steps?mine=true&status=pending',
            'in_progress', '/api/job-steps?mine=true&status=in_progress',
            'completed_today', '/api/job-steps?mine=true&completed_today=true'
        )
    ),
    'machines', json_build_object(
        'total', m.total,
        'active', m.active,
        'maintenance', m.maintenance,
        'inactive', m.inactive,
        'links', json_build_object(
            'total', '/api/machines',
            'active', '/api/machines?status=active',
            'maintenance', '/api/machines?status=maintenance',
            'inactive', '/api/machines?status=inactive'
        )
    ),
    'problems', json_build_object(
        'open', i.open,
        'answered', i.answered,
        'links', json_build_object(
            'open', '/api/problems?status=open',
            'answered', '/api/problems?status=answered'
        )
    ),
    'users', CASE WHEN %(role)s IN ('admin', 'manager') THEN json_build_object(
        'total', u.total,
        'active', u.active,
        'admin', u.admin,
        'manager', u.manager,
        'operator', u.operator,
        'steps_of_inactive', f.steps,
        'links', json_build_object(
            'total', '/api/users',
            'active', '/api/users?is_active=true',
            'admin', '/api/users?is_active=true&role=admin',
            'manager', '/api/users?is_active=true&role=manager',
            'operator', '/api/users?is_active=true&role=operator',
            'steps_of_inactive', '/api/job-steps?waiting=true&assignee_inactive=true'
        )
    ) END,
    'leads', json_build_object(
        'total', e.total,
        'unprocessed', e.unprocessed,
        'in_progress', e.in_progress,
        'new_today', e.new_today,
        'links', json_build_object(
            'total', '/api/leads',
            'unprocessed', '/api/leads?status=unprocessed',
            'in_progress', '/api/leads?status=new,contacted,qualified',
            'new_today', '/api/leads?created_today=true'
        )
    ),
    'approvals', json_build_object(
        'pending', a.pending,
        'changes_requested', a.changes_requested,
        'decided_today', a.decided_today,
        'oldest_pending_at', a.oldest_pending_at,
        'links', json_build_object(
            'pending', '/api/workflow-approvals/pending',
            'changes_requested', '/api/workflow-approvals?status=changes_requested',
            'decided_today', '/api/workflow-approvals?decided_today=true&sort=-decided_at'
        )
    ),
    'campaigns', json_build_object(
        'total', k.total,
        'active', k.active,
        'paused', k.paused,
        'sent', r.sent,
        'opened', r.opened,
        'links', json_build_object(
            'total', '/api/campaigns',
            'active', '/api/campaigns/active',
            'paused', '/api/campaigns?status=paused',
            'sent',
            '/api/campaigns/active/recipients?status=sent,delivered,opened,clicked,converted,bounced,unsubscribed',
            'opened', '/api/campaigns/active/recipients?status=opened,clicked,converted'
        )
    ),
    'journeys', json_build_object(
        'active', g.active,
        'under_way', g.under_way,
        'paused', g.paused,
        'failed', g.failed,
        'links', json_build_object(
            'active', '/api/journeys?status=active',
            'under_way', '/api/journeys/contacts?status=active',
            'paused', '/api/journeys/contacts?status=paused',
            'failed', '/api/journeys/contacts?status=failed'
        )
    ),
    'today', c.today,
    'as_of', coalesce(l.changed_at, c.created_at)
))::text
FROM clock AS c
CROSS JOIN last_change AS l
CROSS JOIN job_stats AS j
CROSS JOIN due_stats AS d
CROSS JOIN task_stats AS w
CROSS JOIN machine_stats AS m
CROSS JOIN problem_stats AS i
CROSS JOIN user_stats AS u
CROSS JOIN left_stats AS f
CROSS JOIN lead_stats AS e
CROSS JOIN approval_stats AS a
CROSS JOIN campaign_stats AS k
CROSS JOIN recipient_stats AS r
CROSS JOIN journey_stats AS g

-- name: recent_jobs
-- reads: jobs, customers, tenants
-- The newest jobs with their customer's name.
WITH recent AS (
    SELECT
        j.id,
        j.job_number,
        j.title,
        j.status,
        j.priority,
        j.due_date,
        j.customer_id,
        j.created_at
    FROM jobs AS j
    WHERE j.tenant_id = %(tenant_id)s
        -- A business that is looked at as of an earlier day has jobs from after it.
        AND j.created_at < (
            SELECT (coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) + 1)::timestamp AT TIME ZONE t.time_zone
            FROM tenants AS t
            WHERE t.id = %(tenant_id)s
        )
        AND j.archived_at IS NULL
    ORDER BY j.created_at DESC, j.id DESC
    LIMIT %(limit)s
)
SELECT json_build_object(
    'items', coalesce(
        json_agg(
            json_build_object(
                'id', r.id,
                'job_number', r.job_number,
                'title', r.title,
                'status', r.status,
                'priority', r.priority,
                'due_date', r.due_date,
                'is_overdue', r.status IN ('draft', 'active', 'on_hold') AND coalesce(r.due_date < d.today, false),
                'customer', CASE WHEN c.id IS NOT NULL THEN json_build_object('id', c.id, 'name', c.name) END,
                'created_at', r.created_at,
                'link', '/api/jobs/' || r.id
            )
            ORDER BY r.created_at DESC, r.id DESC
        ),
        '[]'
    ),
    'link', '/api/jobs?sort=-created_at',
    'as_of', (/* include last_change_of_jobs */)
)::text
FROM recent AS r
CROSS JOIN (
    SELECT coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date) AS today
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
) AS d
LEFT JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = r.customer_id

-- name: jobs_by_status
-- reads: jobs, tenants
-- The number of jobs in each status, statuses without jobs included.
WITH statuses AS (
    SELECT
        s.status,
        s.position
    FROM unnest(ARRAY['draft', 'active', 'on_hold', 'completed', 'cancelled']) WITH ORDINALITY AS s (status, position)
),
counted AS MATERIALIZED (
    SELECT
        c.label AS status,
        sum(c.n)::bigint AS jobs
    FROM rollup_counts(%(tenant_id)s, ARRAY['jobs']) AS c
    GROUP BY c.label
)
SELECT json_build_object(
    'items', json_agg(
        json_build_object(
            'status', s.status,
            'count', coalesce(c.jobs, 0),
            'link', '/api/jobs?status=' || s.status
        )
        ORDER BY s.position
    ),
    'total', coalesce(sum(c.jobs), 0)::bigint,
    'as_of', (/* include last_change_of_jobs */)
)::text
FROM statuses AS s
LEFT JOIN counted AS c ON c.status = s.status

-- name: jobs_by_month
-- reads: jobs, tenants
-- Jobs created and jobs completed in each of the last months of the business's time zone, empty months included.
WITH zone AS (
    SELECT
        t.time_zone,
        date_trunc('month', coalesce(t.as_of, (now() AT TIME ZONE t.time_zone)::date)::timestamp)::date AS this_month
    FROM tenants AS t
    WHERE t.id = %(tenant_id)s
),
months AS (
    SELECT
        m.month::date AS begins,
        (m.month + interval '1 month')::date - 1 AS ends
    FROM zone AS z
    CROSS JOIN LATERAL generate_series(
        z.this_month - (%(months)s - 1) * interval '1 month',
        z.this_month,
        interval '1 month'
    ) AS m (month)
),
counted AS MATERIALIZED (
    SELECT
        date_trunc('month', c.day::timestamp)::date AS begins,
        sum(c.n) FILTER (WHERE c.metric = 'jobs_created')::bigint AS created,
        sum(c.n) FILTER (WHERE c.metric = 'jobs_completed')::bigint AS completed
    FROM rollup_counts(%(tenant_id)s, ARRAY['jobs_created', 'jobs_completed']) AS c
    WHERE c.day >= (SELECT min(m.begins) FROM months AS m)
        AND c.day <= (SELECT max(m.ends) FROM months AS m)
    GROUP BY date_trunc('month', c.day::timestamp)
)
SELECT json_build_object(
    'items', json_agg(
        json_build_object(
            'month', to_char(m.begins, 'YYYY-MM'),
            'created', coalesce(c.created, 0),
            'completed', coalesce(c.completed, 0),
            'links', json_build_object(
                'created', '/api/jobs?created_from=' || m.begins || '&created_to=' || m.ends,
                'completed', '/api/jobs?completed_from=' || m.begins || '&completed_to=' || m.ends
            )
        )
        ORDER BY m.begins
    ),
    'time_zone', (SELECT time_zone FROM zone),
    'as_of', (/* include last_change_of_jobs */)
)::text
FROM months AS m
LEFT JOIN counted AS c ON c.begins = m.begins
