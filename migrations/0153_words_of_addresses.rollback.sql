-- The rows of a record: of its texts, its number (also as one word), its e-mail address without the top-level domain,
-- which is looked for only beside other words, and its telephone number forwards and backwards.
CREATE OR REPLACE FUNCTION search_entries(texts text, number text, email text, phone text)
RETURNS TABLE (is_address boolean, word text, words text)
LANGUAGE plpgsql
IMMUTABLE
PARALLEL SAFE
AS $$
DECLARE
    shown text [] := public.search_terms(texts);
    hidden text [] := '{}';
    entry_words text;
    digits text;
BEGIN
    IF number IS NOT NULL THEN
        -- The first word of the number is the beginning of the number as one word.
        shown := shown || (public.search_terms(number)) [2:]
            || public.search_terms(regexp_replace(number, '[-_./# ]', '', 'g'));
    END IF;
    IF phone <> '' THEN
        digits := public.phone_form(phone);
        IF digits <> '' THEN
            hidden := ARRAY[ltrim(digits, '0'), '~' || reverse(digits)];
        END IF;
    END IF;
    IF email <> '' THEN
        hidden := hidden || public.search_terms(email);
    END IF;
    entry_words := ' ' || array_to_string(shown, ' ') || E'\n ' || array_to_string(hidden, ' ');
    IF email <> '' THEN
        hidden := trim_array(hidden, 1);
    END IF;
    -- Cut, because a row of an index has no more than 2,700 bytes.
    RETURN QUERY
    SELECT false, left(s.term, 100), entry_words FROM unnest(shown) AS s (term) WHERE s.term <> ''
    UNION ALL
    SELECT true, left(h.term, 100), entry_words FROM unnest(hidden) AS h (term) WHERE h.term <> '';
END
$$;
