package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v85"
)

const (
	// Four attempts, with the SDK's pauses between them, end within the time that a request has.
	attemptTime = 2 * time.Second
	retries     = 3
)

var errNoAnswer = errors.New("Stripe's answer is about nothing that was asked for")

// newStripe returns a client of its own: the global one of stripe-go has the key of whoever set it last.
func newStripe(c config, parts parts) *stripe.Client {
	backend := parts.backend()
	backend.URL = stripe.String(c.stripeBase)
	return stripe.NewClient(c.stripeKey, stripe.WithBackends(stripe.NewBackendsWithConfig(backend)))
}

func backend() *stripe.BackendConfig {
	return &stripe.BackendConfig{
		HTTPClient: &http.Client{
			Timeout: attemptTime,
			// Stripe redirects nobody, and what is sent to Stripe is not for anybody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		MaxNetworkRetries: stripe.Int64(retries),
		// The SDK's lines quote what Stripe says, messages and whole bodies.
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	}
}

// ask makes a call to Stripe under one idempotency key, whatever the SDK repeats.
func ask(ctx context.Context, call func(context.Context, string) (string, error)) (string, error) {
	id, err := call(ctx, stripe.NewIdempotencyKey())
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", errNoAnswer
	}
	return id, nil
}

// explain says what the caller is told: one answer for all declines, one for all refusals, one for all that may pass.
func explain(err error) (int, failure) {
	var stripeErr *stripe.Error
	if errors.As(err, &stripeErr) {
		switch stripeErr.HTTPStatusCode {
		case http.StatusPaymentRequired:
			return http.StatusPaymentRequired, failure{Code: "payment_declined"}
		case http.StatusBadRequest, http.StatusNotFound:
			return http.StatusUnprocessableEntity, failure{Code: "payment_refused"}
		}
	}
	return http.StatusServiceUnavailable, failure{Code: "payments_unavailable"}
}

// describe says what the log is told: the kind of an error, and Stripe's id of the request, by which its dashboard shows
// the rest. The text of an error may quote what was sent.
func describe(err error) []any {
	var stripeErr *stripe.Error
	if errors.As(err, &stripeErr) {
		return []any{"kind", string(stripeErr.Type), "stripe_status", stripeErr.HTTPStatusCode, "stripe_request", stripeErr.RequestID}
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return []any{"kind", fmt.Sprintf("%T", err)}
}

// isMissing tells whether Stripe does not know what it was asked for.
func isMissing(err error) bool {
	var stripeErr *stripe.Error
	return errors.As(err, &stripeErr) && stripeErr.HTTPStatusCode == http.StatusNotFound
}
