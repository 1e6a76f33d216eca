-- depends: 0085_steps_of_routings
-- Confirms the limits of 0085. It reads the table beside readers and writers.
ALTER TABLE job_steps VALIDATE CONSTRAINT job_steps_setup_minutes_check;
ALTER TABLE job_steps VALIDATE CONSTRAINT job_steps_seconds_per_piece_check;
ALTER TABLE job_steps VALIDATE CONSTRAINT job_steps_instructions_check;
