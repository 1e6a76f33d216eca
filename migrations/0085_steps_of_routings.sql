-- depends: 0084_routings
-- Steps of jobs have the times and instructions of the routing they were made from, can be removed, and can be put in
-- another order by one statement: the uniqueness of their order is checked at the end of a statement.

-- Columns that are null for all rows: added without a look at them. The limits hold for new rows from now on, those of before
-- have no value; 0086 confirms it.
ALTER TABLE job_steps ADD COLUMN setup_minutes integer;
ALTER TABLE job_steps ADD COLUMN seconds_per_piece integer;
ALTER TABLE job_steps ADD COLUMN instructions text;
ALTER TABLE job_steps ADD CONSTRAINT job_steps_setup_minutes_check CHECK (setup_minutes >= 0) NOT VALID;
ALTER TABLE job_steps ADD CONSTRAINT job_steps_seconds_per_piece_check CHECK (seconds_per_piece >= 0) NOT VALID;
ALTER TABLE job_steps ADD CONSTRAINT job_steps_instructions_check CHECK (length(instructions) <= 10000) NOT VALID;

-- The index becomes the constraint's; nothing is built.
ALTER TABLE job_steps ADD CONSTRAINT idx_job_steps_job_order
UNIQUE USING INDEX idx_job_steps_job_order DEFERRABLE INITIALLY IMMEDIATE;

GRANT DELETE ON job_steps TO opsboard_app;
