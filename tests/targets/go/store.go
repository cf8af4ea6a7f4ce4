package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
	_ "modernc.org/sqlite"
)

// Each object has the time of the event that its state is of, and how often it has been written.
const schema = `
CREATE TABLE IF NOT EXISTS events (
	id TEXT PRIMARY KEY, type TEXT NOT NULL, created INTEGER NOT NULL, received INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS owned (
	id TEXT PRIMARY KEY, operation TEXT NOT NULL, tenant TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS subscriptions (
	id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, price TEXT NOT NULL, quantity INTEGER NOT NULL,
	current_period_end INTEGER NOT NULL, cancel_at_period_end INTEGER NOT NULL,
	as_of INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS invoices (
	id TEXT PRIMARY KEY, customer TEXT NOT NULL, subscription TEXT NOT NULL, status TEXT NOT NULL,
	amount_due INTEGER NOT NULL, amount_paid INTEGER NOT NULL, currency TEXT NOT NULL,
	as_of INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS payments (
	id TEXT PRIMARY KEY, customer TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
	amount_received INTEGER NOT NULL, currency TEXT NOT NULL, as_of INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS charges (
	id TEXT PRIMARY KEY, payment TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
	amount_refunded INTEGER NOT NULL, currency TEXT NOT NULL, disputed INTEGER NOT NULL,
	as_of INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS refunds (
	id TEXT PRIMARY KEY, payment TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
	as_of INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS disputes (
	id TEXT PRIMARY KEY, payment TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
	as_of INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
`

// outcome is what an event has led to.
type outcome string

const (
	applied   outcome = "applied"   // it has changed the books
	noted     outcome = "noted"     // it is recorded, and tells nothing new
	repeated  outcome = "repeated"  // it had come before
	contested outcome = "contested" // nothing is written: another event of its second tells something else
)

type store struct {
	db       *sql.DB
	parts    parts
	remember *sql.Stmt
	keep     *sql.Stmt
	owner    *sql.Stmt
	shown    *sql.Stmt
	load     map[*kind]*sql.Stmt
	save     map[*kind]*sql.Stmt
}

func openStore(ctx context.Context, file string, parts parts) (*store, error) {
	options := url.Values{
		"_pragma": {"journal_mode(WAL)", "busy_timeout(5000)"},
		"_txlock": {"immediate"}, // who reads in order to write takes the lock at once, so that no two do
	}
	db, err := sql.Open("sqlite", "file:"+file+"?"+options.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer; here they wait in a queue
	s := &store{db: db, parts: parts, load: map[*kind]*sql.Stmt{}, save: map[*kind]*sql.Stmt{}}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *store) prepare(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, schema); err != nil {
		return err
	}
	var failed []error
	statement := func(query string) *sql.Stmt {
		prepared, err := s.db.PrepareContext(ctx, query)
		failed = append(failed, err)
		return prepared
	}
	s.remember = statement("INSERT INTO events (id, type, created, received) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
	s.keep = statement("INSERT INTO owned (id, operation, tenant) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
	s.owner = statement("SELECT tenant FROM owned WHERE id = ?")
	s.shown = statement("SELECT status, current_period_end, cancel_at_period_end FROM subscriptions WHERE id = ?")
	for _, k := range allKinds {
		columns := strings.Join(k.columns, ", ")
		s.load[k] = statement(fmt.Sprintf("SELECT as_of, revision, %s FROM %s WHERE id = ?", columns, k.table))
		s.save[k] = statement(fmt.Sprintf("INSERT OR REPLACE INTO %s (id, as_of, revision, %s) VALUES (?, ?, ?%s)",
			k.table, columns, strings.Repeat(", ?", len(k.columns))))
	}
	return errors.Join(failed...)
}

func (s *store) Close() error { return s.db.Close() }

// apply records an event and brings what it tells into the books, both or neither. A record that was asked of Stripe
// comes with the revision that the books had before (settled); it counts only if they have not changed since.
func (s *store) apply(ctx context.Context, event stripe.Event, told *record, settled int64) (outcome, int64, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return "", 0, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back

	fresh, err := s.parts.remember(ctx, s, tx, event)
	if err != nil {
		return "", 0, err
	}
	if !fresh {
		return repeated, 0, nil
	}
	done, revision := noted, int64(0)
	if told != nil {
		done, revision, err = s.enter(ctx, tx, event.Created, told, settled)
	}
	if err != nil || done == contested {
		return done, revision, err
	}
	return done, revision, tx.Commit()
}

// enter writes what is told into the books, unless they know better.
func (s *store) enter(ctx context.Context, tx *sql.Tx, created int64, told *record, settled int64) (outcome, int64, error) {
	held, err := s.find(ctx, tx, told)
	if err != nil {
		return "", 0, err
	}
	switch s.parts.weigh(held, told.values, created, settled) {
	case contested:
		return contested, held.revision, nil
	case noted:
		return noted, held.revision, nil
	}
	values := append([]any{told.id, max(created, held.asOf), held.revision + 1}, told.values...)
	if _, err := tx.StmtContext(ctx, s.save[told.kind]).ExecContext(ctx, values...); err != nil {
		return "", 0, err
	}
	return applied, held.revision + 1, nil
}

// entry is what the books hold of an object; its revision is 0 where they hold nothing.
type entry struct {
	asOf, revision int64
	values         []any
}

func (s *store) find(ctx context.Context, tx *sql.Tx, told *record) (entry, error) {
	held := entry{values: make([]any, len(told.values))}
	places := []any{&held.asOf, &held.revision}
	for index := range held.values {
		places = append(places, &held.values[index])
	}
	err := tx.StmtContext(ctx, s.load[told.kind]).QueryRowContext(ctx, told.id).Scan(places...)
	if errors.Is(err, sql.ErrNoRows) {
		return entry{}, nil
	}
	return held, err
}

// weigh decides between what the books hold and what is told. Events come in any order, so the newer one counts. Times
// have whole seconds: of two that differ within one, Stripe must say which holds.
func weigh(held entry, told []any, created, settled int64) outcome {
	same := slices.Equal(held.values, told)
	switch {
	case held.revision == 0:
		return applied
	case settled == held.revision:
		if same {
			return noted
		}
		return applied
	case created < held.asOf, created == held.asOf && same:
		return noted
	case created == held.asOf:
		return contested
	}
	return applied
}

// rememberEvent tells whether an event is new, and records it: in the transaction that its effect is in.
func rememberEvent(ctx context.Context, s *store, tx *sql.Tx, event stripe.Event) (bool, error) {
	done, err := tx.StmtContext(ctx, s.remember).ExecContext(ctx, event.ID, string(event.Type), event.Created, time.Now().Unix())
	if err != nil {
		return false, err
	}
	added, err := done.RowsAffected()
	return added == 1, err
}

// own records whose something is that an operation has made.
func (s *store) own(ctx context.Context, operation, id, tenant string) error {
	_, err := s.keep.ExecContext(ctx, id, operation, tenant)
	return err
}

// owns tells whether something was made for a tenant.
func (s *store) owns(ctx context.Context, tenant, id string) (bool, error) {
	var owner string
	err := s.owner.QueryRowContext(ctx, id).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && owner == tenant, err
}

// shownSubscription is what callers are told of a subscription.
type shownSubscription struct {
	ID                string `json:"id"`
	Status            string `json:"status"`
	CurrentPeriodEnd  int64  `json:"current_period_end,omitempty"`
	CancelAtPeriodEnd bool   `json:"cancel_at_period_end"`
}

// subscription returns what the books hold; until Stripe's first event they know its id only.
func (s *store) subscription(ctx context.Context, id string) (shownSubscription, error) {
	shown := shownSubscription{ID: id, Status: "unknown"}
	err := s.shown.QueryRowContext(ctx, id).Scan(&shown.Status, &shown.CurrentPeriodEnd, &shown.CancelAtPeriodEnd)
	if errors.Is(err, sql.ErrNoRows) {
		return shown, nil
	}
	return shown, err
}
