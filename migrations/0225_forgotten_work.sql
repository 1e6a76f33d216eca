-- depends: 0168_lists_of_rejects_and_kinds
-- A record of work that was forgotten ends after its longest time and is marked, until a manager corrects it.

ALTER TABLE work_records ADD COLUMN is_forgotten boolean NOT NULL DEFAULT false;
