// What is kept: which events were applied, and the state of what they tell of; ids and statuses, no payment data.
import { DatabaseSync } from "@photostructure/sqlite";

const TABLES = `
  CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT NOT NULL, object TEXT, created INTEGER);
  CREATE TABLE IF NOT EXISTS objects (
    id TEXT PRIMARY KEY, status TEXT, changed INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS made (id TEXT PRIMARY KEY, operation TEXT NOT NULL, tenant TEXT NOT NULL);
`;

export class Store {
  constructor(file, parts) {
    this.database = new DatabaseSync(file);
    this.database.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; ${TABLES}`);
    this.parts = parts;
  }

  run(sql, ...values) {
    return this.database.prepare(sql).run(...values);
  }

  // Applies an event once; whether this was the time.
  apply(event) {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const fresh = this.parts.remember(this, event);
      if (fresh) this.effect(event);
      this.database.exec("COMMIT");
      return fresh;
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  effect(event) {
    const { id, status } = event.data.object;
    if (!id) return;
    this.run(
      // An older event may come later: it counts, and changes nothing else.
      `INSERT INTO objects (id, status, changed, seen) VALUES (?, ?, ?, 1)
       ON CONFLICT (id) DO UPDATE SET
         status = CASE WHEN excluded.changed >= changed THEN excluded.status ELSE status END,
         changed = max(changed, excluded.changed), seen = seen + 1`,
      id,
      status ?? null,
      event.created,
    );
  }

  keep(operation, id, tenant) {
    this.run("INSERT OR IGNORE INTO made (id, operation, tenant) VALUES (?, ?, ?)", id, operation, tenant);
  }

  // Whether something was made for a tenant.
  owns(tenant, id) {
    return this.database.prepare("SELECT 1 FROM made WHERE id = ? AND tenant = ?").get(id, tenant) !== undefined;
  }
}

// Whether the event is new, which is known from then on.
export function remember(store, event) {
  const { id, type, created, data } = event;
  const done = store.run(
    "INSERT OR IGNORE INTO events (id, type, object, created) VALUES (?, ?, ?, ?)",
    id,
    type,
    data.object.id ?? null,
    created,
  );
  return done.changes === 1;
}
