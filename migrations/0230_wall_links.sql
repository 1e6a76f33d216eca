-- depends: 0196_search_pending
-- Tokens of screens on a wall: they read the areas that the screen shows and nothing else.

ALTER TABLE api_tokens ADD COLUMN IF NOT EXISTS areas text [];
-- The next statement puts a wider one in its place.
-- squawk-ignore ban-drop-constraint
ALTER TABLE api_tokens DROP CONSTRAINT api_tokens_scopes_check;
ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_scopes_check CHECK (
    cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'health', 'metrics', 'wall']
) NOT VALID;
ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_areas_check CHECK (
    (areas IS NOT NULL) = ('wall' = ANY(scopes))
    AND (areas IS NULL OR (cardinality(areas) > 0 AND areas <@ ARRAY['jobs', 'late', 'machines', 'sell']))
) NOT VALID;
