-- name: search
-- reads: jobs, customers, contacts, leads, machines, users, documents
-- The best records of each kind that have all the words asked for. Of several words the rarest is walked through, the
-- others are looked for in the words of its records, until there are enough. Words that are not written yet are read from
-- the pending records.
WITH asked AS MATERIALIZED (
    SELECT
        a.terms,
        term_patterns(a.terms) AS patterns,
        cardinality(a.terms) AS size,
        -- One word needs no rows but those shown; a record may have several words that begin with it.
        CASE WHEN cardinality(a.terms) = 1 THEN %(limit)s * 4 ELSE %(most_read)s END AS most
    FROM (SELECT asked_terms(%(q)s) AS terms) AS a
),
kinds AS MATERIALIZED (
    SELECT
        k.place,
        k.source,
        term_forms(d.term) AS forms,
        ARRAY(SELECT u.id FROM unfolded_rows(%(tenant_id)s, k.source) AS u) AS pending,
        (
            SELECT count(*)
            FROM (SELECT FROM search_pending AS p WHERE p.tenant_id = %(tenant_id)s AND p.source = k.source LIMIT 51) AS q
        ) > 50 AS is_behind
    FROM asked AS a
    CROSS JOIN (
        VALUES
        (1, 'jobs'), (2, 'customers'), (3, 'contacts'), (4, 'leads'), (5, 'machines'), (6, 'users'), (7, 'documents')
    ) AS k (place, source)
    CROSS JOIN LATERAL (
        SELECT t.term
        FROM unnest(a.terms) AS t (term)
        CROSS JOIN LATERAL (
            SELECT count(*) AS n
            FROM unnest(term_forms(t.term)) AS f (form)
            CROSS JOIN unnest(ARRAY[false, %(role)s <> 'operator']) WITH ORDINALITY AS p (is_address, place)
            CROSS JOIN LATERAL (
                SELECT
                FROM search_words AS w
                WHERE w.tenant_id = %(tenant_id)s
                    AND w.source = k.source
                    AND w.is_address = p.is_address
                    AND w.word >= f.form
                    AND w.word < f.form || chr(1114111)
                    AND a.size > 1
                ORDER BY w.word, w.row_id
                LIMIT %(most_read)s / 4
            ) AS r
            WHERE p.is_address = (p.place = 2)
        ) AS c
        -- A word of which there are no rows, as com, is in the others' rows or nowhere.
        ORDER BY c.n = 0, c.n, length(t.term) DESC
        LIMIT 1
    ) AS d
    WHERE k.source <> 'users'
        OR %(role)s <> 'operator'
),
fresh AS MATERIALIZED (
    SELECT 'jobs' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_jobs(%(tenant_id)s) AS u
    UNION ALL
    SELECT 'customers' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_customers(%(tenant_id)s) AS u
    UNION ALL
    SELECT 'contacts' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_contacts(%(tenant_id)s) AS u
    UNION ALL
    SELECT 'leads' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_leads(%(tenant_id)s) AS u
    UNION ALL
    SELECT 'machines' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_machines(%(tenant_id)s) AS u
    UNION ALL
    SELECT 'users' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_users(%(tenant_id)s) AS u
    UNION ALL
    SELECT 'documents' AS source, u.row_id, u.is_address, u.word, u.words
    FROM unfolded_words_of_documents(%(tenant_id)s) AS u
),
found AS MATERIALIZED (
    SELECT
        k.place,
        k.source,
        r.row_id,
        r.is_exact,
        r.is_whole,
        k.is_behind,
        row_number() OVER (PARTITION BY k.place ORDER BY r.is_exact DESC, r.row_id DESC) AS rank
    FROM kinds AS k
    CROSS JOIN LATERAL (
        SELECT
            s.row_id,
            bool_or(s.is_exact) AS is_exact,
            s.is_whole
        FROM (
            SELECT
                m.row_id,
                m.is_exact,
                m.is_match,
                bool_and(NOT m.is_last) OVER () AS is_whole
            FROM (
                SELECT
                    b.row_id,
                    b.is_exact,
                    b.is_match,
                    b.is_last
                FROM asked AS a
                CROSS JOIN unnest(k.forms) AS f (form)
                CROSS JOIN unnest(ARRAY[false, %(role)s <> 'operator']) WITH ORDINALITY AS p (is_address, place)
                CROSS JOIN LATERAL (
                    SELECT
                        c.row_id,
                        c.is_exact,
                        c.is_match,
                        c.is_last
                    FROM (
                        SELECT
                            n.row_id,
                            n.is_exact,
                            n.row_id <> ALL(k.pending)
                            AND CASE
                                WHEN a.size = 1 THEN true
                                WHEN %(role)s = 'operator' THEN split_part(n.words, E'\n', 1) ~ ALL(a.patterns)
                                ELSE n.words ~ ALL(a.patterns)
                            END AS is_match,
                            n.number = a.most AS is_last
                        FROM (
                            SELECT
                                o.row_id,
                                o.is_exact,
                                o.words,
                                row_number() OVER () AS number
                            FROM (
                                (
                                    SELECT
                                        w.row_id,
                                        true AS is_exact,
                                        w.words
                                    FROM search_words AS w
                                    WHERE w.tenant_id = %(tenant_id)s
                                        AND w.source = k.source
                                        AND w.is_address = p.is_address
                                        AND w.word = f.form
                                    ORDER BY w.row_id DESC
                                    LIMIT a.most
                                )
                                UNION ALL
                                (
                                    SELECT
                                        w.row_id,
                                        false AS is_exact,
                                        w.words
                                    FROM search_words AS w
                                    WHERE w.tenant_id = %(tenant_id)s
                                        AND w.source = k.source
                                        AND w.is_address = p.is_address
                                        AND w.word > f.form
                                        AND w.word < f.form || chr(1114111)
                                    ORDER BY w.word, w.row_id
                                    LIMIT a.most
                                )
                            ) AS o
                            LIMIT a.most
                        ) AS n
                    ) AS c
                    -- The last row that may be read says that there may be more.
                    WHERE c.is_last
                        OR c.is_match
                    LIMIT %(limit)s * 4
                ) AS b
                WHERE p.is_address = (p.place = 2)
                UNION ALL
                SELECT
                    u.row_id,
                    u.word = f.form,
                    true,
                    false
                FROM asked AS a
                CROSS JOIN fresh AS u
                CROSS JOIN unnest(a.terms) AS t (term)
                CROSS JOIN LATERAL unnest(term_forms(t.term)) AS f (form)
                WHERE u.source = k.source
                    AND (%(role)s <> 'operator' OR NOT u.is_address)
                    AND u.word >= f.form
                    AND u.word < f.form || chr(1114111)
                    AND CASE WHEN %(role)s = 'operator' THEN split_part(u.words, E'\n', 1) ELSE u.words END
                        ~ ALL(a.patterns)
            ) AS m
        ) AS s
        WHERE s.is_match
        GROUP BY s.row_id, s.is_whole
        ORDER BY bool_or(s.is_exact) DESC, s.row_id DESC
        LIMIT %(limit)s + 1
    ) AS r
),
items AS (
    SELECT f.place, f.rank, j.job_number AS title, j.title AS detail, '/api/jobs/' || j.id AS link, j.id
    FROM found AS f
    JOIN jobs AS j ON j.tenant_id = %(tenant_id)s AND j.id = f.row_id
    WHERE f.source = 'jobs'
    UNION ALL
    SELECT
        f.place, f.rank, c.name, CASE WHEN /* include sees_addresses */ THEN coalesce(c.email, c.phone) END,
        '/api/customers/' || c.id, c.id
    FROM found AS f
    JOIN customers AS c ON c.tenant_id = %(tenant_id)s AND c.id = f.row_id
    WHERE f.source = 'customers'
    UNION ALL
    SELECT
        f.place, f.rank, k.name, CASE WHEN /* include sees_addresses */ THEN coalesce(k.email, k.phone) END,
        '/api/contacts/' || k.id, k.id
    FROM found AS f
    JOIN contacts AS k ON k.tenant_id = %(tenant_id)s AND k.id = f.row_id
    WHERE f.source = 'contacts'
    UNION ALL
    SELECT
        f.place, f.rank, l.name, CASE WHEN /* include sees_addresses */ THEN coalesce(l.email, l.phone) END,
        '/api/leads/' || l.id, l.id
    FROM found AS f
    JOIN leads AS l ON l.tenant_id = %(tenant_id)s AND l.id = f.row_id
    WHERE f.source = 'leads'
    UNION ALL
    SELECT f.place, f.rank, m.name, m.location, '/api/machines/' || m.id, m.id
    FROM found AS f
    JOIN machines AS m ON m.tenant_id = %(tenant_id)s AND m.id = f.row_id
    WHERE f.source = 'machines'
    UNION ALL
    SELECT f.place, f.rank, u.full_name, u.email, '/api/users/' || u.id, u.id
    FROM found AS f
    JOIN users AS u ON u.tenant_id = %(tenant_id)s AND u.id = f.row_id
    WHERE f.source = 'users'
    UNION ALL
    SELECT f.place, f.rank, d.title, d.file_name, '/api/documents/' || d.id, d.id
    FROM found AS f
    JOIN documents AS d ON d.tenant_id = %(tenant_id)s AND d.id = f.row_id
    WHERE f.source = 'documents'
),
groups AS (
    SELECT
        g.place,
        g.is_exact,
        json_build_object(
            'kind', g.source,
            'items', (
                SELECT coalesce(
                    json_agg(
                        json_build_object('id', i.id, 'title', i.title, 'detail', i.detail, 'link', i.link)
                        ORDER BY i.rank
                    ),
                    '[]'
                )
                FROM items AS i
                WHERE i.place = g.place
                    AND i.rank <= %(limit)s
            ),
            'has_more', g.n > %(limit)s,
            'is_complete', NOT g.is_behind AND (g.is_whole OR a.size = 1 OR g.n > %(limit)s)
        ) AS item
    FROM (
        SELECT
            f.place,
            f.source,
            bool_or(f.is_exact) AS is_exact,
            bool_and(f.is_whole) AS is_whole,
            bool_or(f.is_behind) AS is_behind,
            count(*) AS n
        FROM found AS f
        GROUP BY f.place, f.source
    ) AS g
    CROSS JOIN asked AS a
)
SELECT json_build_object(
        'groups', (SELECT coalesce(json_agg(g.item ORDER BY g.is_exact DESC, g.place), '[]') FROM groups AS g)
)::text
