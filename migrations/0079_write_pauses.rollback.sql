DROP TABLE IF EXISTS write_pauses;
