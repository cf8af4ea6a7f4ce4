package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/stripe/stripe-go/v85"
)

const (
	// Callers wait 12 s, and Stripe 10 s or more: what has not come to an end by then is given up.
	requestTime = 10 * time.Second

	maxRequest  = 16 << 10
	maxDelivery = 1 << 20
)

type service struct {
	config config
	parts  parts
	store  *store
	stripe *stripe.Client
	log    *slog.Logger
}

func (s *service) routes() http.Handler {
	api := http.NewServeMux()
	api.Handle("POST /customers", s.operation("create_customer", s.createCustomer))
	api.Handle("POST /subscriptions", s.operation("subscribe", s.subscribe))
	api.Handle("POST /subscriptions/{id}/cancel", s.operation("cancel", s.cancel))
	api.Handle("POST /payments", s.operation("pay", s.pay))
	api.Handle("POST /refunds", s.operation("refund", s.refund))
	api.HandleFunc("GET /subscriptions/{id}", s.showSubscription)

	root := http.NewServeMux()
	root.HandleFunc("POST /webhooks/stripe", s.webhook)
	root.Handle("/", s.authenticated(api))
	return s.recovering(inTime(root))
}

// inTime ends the work on a request, and its calls to Stripe, before whoever asked gives up.
func inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovering answers in general words where a handler panics, and tells the log where that was.
func (s *service) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			// Not the panic's own text, which may quote what was sent.
			s.log.Error("request_panicked", "kind", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
			s.parts.answerPanic(w, cause)
		}()
		next.ServeHTTP(w, r)
	})
}

func answerPanic(w http.ResponseWriter, _ any) {
	writeError(w, http.StatusInternalServerError, failure{Code: "internal"})
}

// failure is what a caller is told. The reference leads whoever looks after the service to the line of the log.
type failure struct {
	Code      string `json:"code"`
	Message   string `json:"message,omitempty"`
	Reference string `json:"reference,omitempty"`
}

func writeError(w http.ResponseWriter, status int, told failure) {
	writeJSON(w, status, map[string]failure{"error": told})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// Whoever has gone away gets no answer, and there is nothing else to do about it.
	_ = json.NewEncoder(w).Encode(body)
}

var errNotJSON = errors.New("the body is not said to be JSON")

// readBody returns a JSON body of limited length.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errNotJSON
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
}

// writeUnreadable answers a request whose body could not be taken.
func writeUnreadable(w http.ResponseWriter, err error) {
	var tooLarge *http.MaxBytesError
	status := http.StatusBadRequest
	switch {
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, errNotJSON):
		status = http.StatusUnsupportedMediaType
	}
	writeError(w, status, failure{Code: "invalid_request"})
}

func originOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	return host
}
