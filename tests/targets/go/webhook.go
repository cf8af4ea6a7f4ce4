package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
)

var errNoEvent = errors.New("a signed body that is no event")

// webhook takes what Stripe delivers. Any answer but 2xx makes Stripe deliver the event again.
func (s *service) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := s.parts.readDelivery(w, r)
	if err != nil {
		writeUnreadable(w, err)
		return
	}
	event, err := s.parts.verify(body, r.Header.Get("Stripe-Signature"), s.config.webhookSecret)
	if err == nil && (event.ID == "" || event.Type == "") {
		err = errNoEvent
	}
	if err != nil {
		s.reject(w, r, err)
		return
	}
	if !s.parts.isOwn(event, s.config.liveMode()) {
		s.parts.logDelivery(s.log, "webhook_ignored", event, body)
		writeJSON(w, http.StatusOK, map[string]bool{"received": true})
		return
	}
	told, err := s.parts.read(event)
	if err != nil {
		s.reject(w, r, err)
		return
	}
	err = s.parts.work(r.Context(), func(ctx context.Context) error {
		done, err := s.apply(ctx, event, told)
		if err == nil {
			s.parts.logDelivery(s.log, "webhook_"+string(done), event, body)
		}
		return err
	})
	if err != nil {
		s.log.Error("webhook_failed", append(s.parts.describe(err), "id", event.ID, "type", string(event.Type))...)
		writeError(w, http.StatusInternalServerError, failure{Code: "internal"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"received": true})
}

// reject answers alike whatever is wrong: whoever forges learns nothing. The log tells the causes apart.
func (s *service) reject(w http.ResponseWriter, r *http.Request, err error) {
	cause := "malformed"
	switch {
	case errors.Is(err, webhook.ErrTooOld):
		cause = "too_old"
	case errors.Is(err, webhook.ErrNotSigned), errors.Is(err, webhook.ErrInvalidHeader), errors.Is(err, webhook.ErrNoValidSignature):
		cause = "signature"
	}
	s.log.Warn("webhook_rejected", "cause", cause, "origin", originOf(r), "result", "rejected")
	writeError(w, http.StatusBadRequest, failure{Code: "invalid_request"})
}

// apply brings an event into the books once. Where two events of one second differ, Stripe says what is true.
func (s *service) apply(ctx context.Context, event stripe.Event, told *record) (outcome, error) {
	settled := int64(-1)
	for {
		done, revision, err := s.store.apply(ctx, event, told, settled)
		if err != nil || done != contested {
			return done, err
		}
		asked, err := told.kind.fetch(ctx, s.stripe, told.id)
		if isMissing(err) {
			told = nil
			continue
		}
		if err != nil {
			return "", fmt.Errorf("ask Stripe: %w", err)
		}
		told, settled = asked, revision
	}
}

// isOwn tells whether an event is of this account and mode: an endpoint for Connect gets those of others too.
func isOwn(event stripe.Event, liveMode bool) bool {
	return event.Account == "" && event.Context == "" && event.Livemode == liveMode
}

// readEvent returns what an event tells of an object, or nothing where its type means nothing to the books.
func readEvent(event stripe.Event) (*record, error) {
	kind, handled := kinds[event.Type]
	if !handled {
		return nil, nil
	}
	if event.Data == nil {
		return nil, errNoEvent
	}
	return readObject(kind, event.Data.Raw)
}

func readObject(kind *kind, object json.RawMessage) (*record, error) {
	told, err := kind.parse(object)
	if err != nil {
		return nil, errors.Join(errNoEvent, err)
	}
	if told.id == "" {
		return nil, errNoEvent
	}
	return told, nil
}

func logDelivery(log *slog.Logger, done string, event stripe.Event, _ []byte) {
	log.Info(done, "id", event.ID, "type", string(event.Type))
}
