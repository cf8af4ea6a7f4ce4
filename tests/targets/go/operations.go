package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v85"
)

// Ids of Stripe's, so that nothing else goes there in their place.
var (
	priceID         = regexp.MustCompile(`^price_\w{1,200}$`)
	paymentMethodID = regexp.MustCompile(`^pm_\w{1,200}$`)
)

const maxAmount = 1_000_000

var currencies = map[string]bool{"usd": true, "eur": true}

// command is what a request asks for.
type command struct {
	about   []string // the objects that it is about, which must be the caller's tenant's
	invalid bool     // it asks for what the service does not do
	call    func(ctx context.Context, key string) (id string, err error)
}

var errMalformed = errors.New("the body is not what the operation takes")

// operation performs what a caller asks for by one call to Stripe.
func (s *service) operation(name string, read func(*http.Request, []byte) (command, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := callerOf(r)
		if !s.parts.may(r, who) {
			s.log.Warn("request_forbidden", "operation", name, "role", string(who.role))
			writeError(w, http.StatusForbidden, failure{Code: "forbidden"})
			return
		}
		body, err := readRequest(w, r)
		if err != nil {
			writeUnreadable(w, err)
			return
		}
		asked, err := read(r, body)
		if err != nil {
			writeUnreadable(w, err)
			return
		}
		for _, id := range asked.about {
			owned, err := s.parts.owns(r.Context(), s.store, who, id)
			if err != nil {
				s.fail(w, name, err)
				return
			}
			if !owned {
				writeError(w, http.StatusNotFound, failure{Code: "not_found"})
				return
			}
		}
		if asked.invalid {
			writeError(w, http.StatusUnprocessableEntity, failure{Code: "invalid_request"})
			return
		}
		id, err := s.parts.ask(r.Context(), asked.call)
		if err == nil {
			// What Stripe has done is kept also where the caller has gone away meanwhile.
			err = s.store.own(context.WithoutCancel(r.Context()), name, id, who.tenant)
		}
		if err != nil {
			s.fail(w, name, err)
			return
		}
		s.log.Info("operation_done", "operation", name, "id", id)
		writeJSON(w, http.StatusCreated, map[string]string{"id": id})
	})
}

func (s *service) fail(w http.ResponseWriter, operation string, err error) {
	reference := uuid.NewString()
	status, told := s.parts.explain(err)
	told.Reference = reference
	s.log.Error("operation_failed",
		append(s.parts.describe(err), "operation", operation, "reference", reference, "status", status)...)
	s.parts.answerFailure(w, status, told, err)
}

func answerFailure(w http.ResponseWriter, status int, told failure, _ error) {
	writeError(w, status, told)
}

func (s *service) createCustomer(_ *http.Request, body []byte) (command, error) {
	params, err := s.parts.newCustomer(body)
	return command{call: func(ctx context.Context, key string) (string, error) {
		params.SetIdempotencyKey(key)
		made, err := s.stripe.V1Customers.Create(ctx, params)
		return made.ID, err
	}}, err
}

func newCustomer(body []byte) (*stripe.CustomerCreateParams, error) {
	return &stripe.CustomerCreateParams{}, decode(body, &struct{}{})
}

func (s *service) subscribe(_ *http.Request, body []byte) (command, error) {
	var wanted struct {
		Customer string `json:"customer"`
		Price    string `json:"price"`
	}
	err := decode(body, &wanted)
	return command{
		about:   []string{wanted.Customer},
		invalid: !priceID.MatchString(wanted.Price),
		call: func(ctx context.Context, key string) (string, error) {
			params := &stripe.SubscriptionCreateParams{
				Customer:        stripe.String(wanted.Customer),
				Items:           []*stripe.SubscriptionCreateItemParams{{Price: stripe.String(wanted.Price)}},
				PaymentBehavior: stripe.String("error_if_incomplete"),
			}
			params.SetIdempotencyKey(key)
			made, err := s.stripe.V1Subscriptions.Create(ctx, params)
			return made.ID, err
		},
	}, err
}

func (s *service) cancel(r *http.Request, body []byte) (command, error) {
	id := r.PathValue("id")
	return command{
		about: []string{id},
		call: func(ctx context.Context, key string) (string, error) {
			params := &stripe.SubscriptionUpdateParams{CancelAtPeriodEnd: stripe.Bool(true)}
			params.SetIdempotencyKey(key)
			made, err := s.stripe.V1Subscriptions.Update(ctx, id, params)
			return made.ID, err
		},
	}, decode(body, &struct{}{})
}

func (s *service) pay(_ *http.Request, body []byte) (command, error) {
	var wanted struct {
		Customer string          `json:"customer"`
		Amount   json.RawMessage `json:"amount"`
		Currency *string         `json:"currency"`
		Card     string          `json:"card"`
	}
	if err := decode(body, &wanted); err != nil {
		return command{}, err
	}
	amount, err := s.parts.readAmount(wanted.Amount)
	if err != nil {
		return command{}, errMalformed
	}
	currency := "usd"
	if wanted.Currency != nil {
		currency = *wanted.Currency
	}
	return command{
		about:   []string{wanted.Customer},
		invalid: amount < 1 || amount > maxAmount || !currencies[currency] || !paymentMethodID.MatchString(wanted.Card),
		call: func(ctx context.Context, key string) (string, error) {
			params := &stripe.PaymentIntentCreateParams{
				Amount:        stripe.Int64(amount),
				Currency:      stripe.String(currency),
				Customer:      stripe.String(wanted.Customer),
				PaymentMethod: stripe.String(wanted.Card),
				Confirm:       stripe.Bool(true),
				OffSession:    stripe.Bool(true),
			}
			params.SetIdempotencyKey(key)
			made, err := s.stripe.V1PaymentIntents.Create(ctx, params)
			return made.ID, err
		},
	}, nil
}

// readAmount takes whole cents only.
func readAmount(text json.RawMessage) (int64, error) {
	var amount int64
	err := json.Unmarshal(text, &amount)
	return amount, err
}

func (s *service) refund(_ *http.Request, body []byte) (command, error) {
	var wanted struct {
		Payment string `json:"payment"`
	}
	err := decode(body, &wanted)
	return command{
		about: []string{wanted.Payment},
		call: func(ctx context.Context, key string) (string, error) {
			params := &stripe.RefundCreateParams{PaymentIntent: stripe.String(wanted.Payment)}
			params.SetIdempotencyKey(key)
			made, err := s.stripe.V1Refunds.Create(ctx, params)
			return made.ID, err
		},
	}, err
}

func (s *service) showSubscription(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	owned, err := s.parts.owns(r.Context(), s.store, callerOf(r), id)
	if err == nil && !owned {
		writeError(w, http.StatusNotFound, failure{Code: "not_found"})
		return
	}
	var shown shownSubscription
	if err == nil {
		shown, err = s.store.subscription(r.Context(), id)
	}
	if err != nil {
		s.fail(w, "show_subscription", err)
		return
	}
	writeJSON(w, http.StatusOK, shown)
}

func owns(ctx context.Context, store *store, c caller, id string) (bool, error) {
	return store.owns(ctx, c.tenant, id)
}

// readRequest returns the body of an operation's request, which may have none. No operation takes a query.
func readRequest(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.URL.RawQuery != "" {
		return nil, errMalformed
	}
	if r.ContentLength == 0 {
		return []byte("{}"), nil
	}
	return readBody(w, r, maxRequest)
}

// decode takes one JSON object with fields that the operation knows, and nothing beside it: what somebody has sent by
// mistake, such as a card number, is refused and not dropped in silence.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return errMalformed
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errMalformed
	}
	return nil
}
