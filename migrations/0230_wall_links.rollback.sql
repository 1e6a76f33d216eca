-- Earlier versions do not know the scope: tokens that have no other end here.
ALTER TABLE api_tokens NO FORCE ROW LEVEL SECURITY;
DELETE FROM api_tokens WHERE scopes = ARRAY['wall'];
UPDATE api_tokens SET scopes = array_remove(scopes, 'wall'), areas = NULL WHERE 'wall' = ANY(scopes);
ALTER TABLE api_tokens FORCE ROW LEVEL SECURITY;
ALTER TABLE api_tokens DROP CONSTRAINT IF EXISTS api_tokens_areas_check;
ALTER TABLE api_tokens DROP CONSTRAINT IF EXISTS api_tokens_scopes_check;
ALTER TABLE api_tokens ADD CONSTRAINT api_tokens_scopes_check CHECK (
    cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'health', 'metrics']
);
ALTER TABLE api_tokens DROP COLUMN IF EXISTS areas;
