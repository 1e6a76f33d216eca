-- As in 0196.
CREATE OR REPLACE FUNCTION word_differences(tenant bigint)
RETURNS TABLE (source name, row_id bigint, is_address boolean, word text, is_kept boolean)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one name;
BEGIN
    FOR one IN SELECT s.source FROM public.searched_tables() AS s LOOP
        RETURN QUERY EXECUTE format(
            $f$
            WITH pending AS (
                SELECT i.id
                FROM public.search_pending AS p
                CROSS JOIN LATERAL unnest(p.row_ids) AS i (id)
                WHERE p.tenant_id = $1 AND p.source = $2
            )
            SELECT $2, d.row_id, d.is_address, d.word, d.is_kept
            FROM (
                SELECT row_id, is_address, word, k.words IS NOT NULL AS is_kept
                FROM (
                    SELECT w.row_id, w.is_address, w.word, w.words
                    FROM public.search_words AS w
                    WHERE w.tenant_id = $1 AND w.source = $2
                ) AS k
                FULL JOIN (SELECT DISTINCT n.* FROM public.words_of_%s($1) AS n) AS c USING (row_id, is_address, word)
                WHERE k.words IS DISTINCT FROM c.words
            ) AS d
            WHERE d.row_id NOT IN (SELECT p.id FROM pending AS p)
            $f$,
            one
        )
        USING tenant, one;
    END LOOP;
END
$$;
