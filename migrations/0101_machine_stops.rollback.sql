DROP TABLE IF EXISTS machine_stops;
