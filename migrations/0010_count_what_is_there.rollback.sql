-- The tables these counts are in go with 0008.
SELECT hold_rollups();
DELETE FROM rollups;
