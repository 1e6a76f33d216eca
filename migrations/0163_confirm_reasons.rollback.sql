-- A constraint stays as valid as it is; 0160 takes it away with its column.
COMMENT ON TABLE work_records IS NULL;
