DROP FUNCTION IF EXISTS analyze_imported(text []);
