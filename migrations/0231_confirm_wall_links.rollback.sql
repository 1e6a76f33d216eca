-- A constraint stays as valid as it is; 0230 takes it away.
COMMENT ON TABLE api_tokens IS NULL;
