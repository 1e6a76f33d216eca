DROP TABLE IF EXISTS business_settings;
