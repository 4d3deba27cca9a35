import type { DatabaseSync } from 'node:sqlite';

/** Marks a database file as a store of this gateway: "APTS". */
export const applicationId = 0x41505453;

/** Grows with every change to the tables below. */
export const schemaVersion = 1;

/**
 * `change` is the history: one row a revision, `value` is null when the revision deleted the key. Text is compared by
 * its UTF-8 bytes, which is the order that stores promise. Times are milliseconds since 1970.
 */
const tables = `
  CREATE TABLE position (revision INTEGER NOT NULL) STRICT;
  INSERT INTO position VALUES (1);
  CREATE TABLE entry (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    create_revision INTEGER NOT NULL,
    mod_revision INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT;
  CREATE INDEX entry_expires_at ON entry (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE change (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value TEXT,
    create_revision INTEGER
  ) STRICT;
`;

/** Makes an empty database file a store; all of it or nothing. */
export function createSchema(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    ${tables}
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
    COMMIT;
  `);
}
