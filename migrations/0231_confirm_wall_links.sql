-- depends: 0230_wall_links
-- The tokens that were there before are checked without a lock that stops writers.

ALTER TABLE api_tokens VALIDATE CONSTRAINT api_tokens_scopes_check;
ALTER TABLE api_tokens VALIDATE CONSTRAINT api_tokens_areas_check;
