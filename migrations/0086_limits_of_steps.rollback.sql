-- A constraint stays as valid as it is; 0085 takes it away with its column.
COMMENT ON TABLE job_steps IS NULL;
