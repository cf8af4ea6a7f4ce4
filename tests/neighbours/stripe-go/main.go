// A service on net/http and stripe-go, with the handler of Stripe's documents ("Receive Stripe events in your webhook
// endpoint", Go), one known customer, and SQLite.
package main

import (
	"database/sql"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"

	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/stripe/stripe-go/v82"
	"github.com/stripe/stripe-go/v82/webhook"
)

const schema = `
CREATE TABLE users (id INTEGER PRIMARY KEY, customer TEXT UNIQUE, plan TEXT NOT NULL, subscription TEXT, status TEXT);
CREATE TABLE payments (invoice TEXT PRIMARY KEY, user INTEGER NOT NULL, amount INTEGER NOT NULL);
INSERT INTO users VALUES (17, 'cus_Neighbour0Ada1', 'free', NULL, NULL);
`

type shop struct {
	database *sql.DB
	secret   string
}

func (shop *shop) handleWebhook(w http.ResponseWriter, request *http.Request) {
	const maxBodyBytes = int64(65536)
	request.Body = http.MaxBytesReader(w, request.Body, maxBodyBytes)
	payload, err := io.ReadAll(request.Body)
	if err != nil {
		log.Printf("Error reading request body: %v", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	event, err := webhook.ConstructEvent(payload, request.Header.Get("Stripe-Signature"), shop.secret)
	if err != nil {
		log.Printf("Webhook signature verification failed: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if err := shop.apply(&event); err != nil {
		log.Printf("Error handling %s: %v", event.Type, err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (shop *shop) apply(event *stripe.Event) error {
	switch event.Type {
	case "checkout.session.completed":
		var session stripe.CheckoutSession
		if err := json.Unmarshal(event.Data.Raw, &session); err != nil {
			return err
		}
		if session.Customer == nil || session.ClientReferenceID == "" {
			return nil
		}
		_, err := shop.database.Exec("UPDATE users SET customer = ? WHERE id = ?", session.Customer.ID, session.ClientReferenceID)
		return err
	case "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted":
		var subscription stripe.Subscription
		if err := json.Unmarshal(event.Data.Raw, &subscription); err != nil {
			return err
		}
		plan := "free"
		if subscription.Status == stripe.SubscriptionStatusActive || subscription.Status == stripe.SubscriptionStatusTrialing {
			plan = "pro"
		}
		_, err := shop.database.Exec("UPDATE users SET plan = ?, subscription = ?, status = ? WHERE customer = ?",
			plan, subscription.ID, string(subscription.Status), subscription.Customer.ID)
		return err
	case "invoice.paid":
		var invoice stripe.Invoice
		if err := json.Unmarshal(event.Data.Raw, &invoice); err != nil {
			return err
		}
		if invoice.Customer == nil {
			return nil
		}
		_, err := shop.database.Exec("INSERT OR IGNORE INTO payments SELECT ?, id, ? FROM users WHERE customer = ?",
			invoice.ID, invoice.AmountPaid, invoice.Customer.ID)
		return err
	default:
		log.Printf("Unhandled event type: %s", event.Type)
		return nil
	}
}

func main() {
	database, err := sql.Open("sqlite3", "file:shop.sqlite3?_pragma=journal_mode(wal)&_pragma=busy_timeout(5000)")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := database.Exec(schema); err != nil {
		log.Fatal(err)
	}
	shop := &shop{database: database, secret: os.Getenv("STRIPE_WEBHOOK_SECRET")}
	http.HandleFunc("POST /webhook", shop.handleWebhook)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
