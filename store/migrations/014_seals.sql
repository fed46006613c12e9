-- A value everybody knows, sealed with the secret key: with another key it does not open.
CREATE TABLE seals (
    name   TEXT PRIMARY KEY,
    sealed TEXT NOT NULL
) WITHOUT ROWID;
