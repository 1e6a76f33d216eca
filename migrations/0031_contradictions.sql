-- depends: 0030_steps_of_ended_jobs
-- The business's setting for a write that makes states contradict each other: a warning or a refusal.

ALTER TABLE business_settings ADD COLUMN contradictions text NOT NULL DEFAULT 'warn'
CONSTRAINT business_settings_contradictions_check CHECK (contradictions IN ('warn', 'refuse'));
