package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
)

// parts are what a planted fault replaces one of.
type parts struct {
	answerFailure func(w http.ResponseWriter, status int, told failure, err error)
	answerPanic   func(w http.ResponseWriter, cause any)
	ask           func(ctx context.Context, call func(context.Context, string) (string, error)) (string, error)
	backend       func() *stripe.BackendConfig
	describe      func(err error) []any
	explain       func(err error) (int, failure)
	isOwn         func(event stripe.Event, liveMode bool) bool
	logDelivery   func(log *slog.Logger, done string, event stripe.Event, body []byte)
	may           func(r *http.Request, c caller) bool
	newCustomer   func(body []byte) (*stripe.CustomerCreateParams, error)
	owns          func(ctx context.Context, store *store, c caller, id string) (bool, error)
	read          func(event stripe.Event) (*record, error)
	readAmount    func(text json.RawMessage) (int64, error)
	readDelivery  func(w http.ResponseWriter, r *http.Request) ([]byte, error)
	remember      func(ctx context.Context, s *store, tx *sql.Tx, event stripe.Event) (bool, error)
	verify        func(body []byte, signature, secret string) (stripe.Event, error)
	weigh         func(held entry, told []any, created, settled int64) outcome
	work          func(ctx context.Context, apply func(context.Context) error) error
}

func standard() parts {
	return parts{
		answerFailure: answerFailure,
		answerPanic:   answerPanic,
		ask:           ask,
		backend:       backend,
		describe:      describe,
		explain:       explain,
		isOwn:         isOwn,
		logDelivery:   logDelivery,
		may:           mayChange,
		newCustomer:   newCustomer,
		owns:          owns,
		read:          readEvent,
		readAmount:    readAmount,
		readDelivery: func(w http.ResponseWriter, r *http.Request) ([]byte, error) {
			return readBody(w, r, maxDelivery)
		},
		remember: rememberEvent,
		verify: func(body []byte, signature, secret string) (stripe.Event, error) {
			return webhook.ConstructEvent(body, signature, secret)
		},
		weigh: weigh,
		work:  func(ctx context.Context, apply func(context.Context) error) error { return apply(ctx) },
	}
}

// plant returns the parts of the service, one of them with a fault where a defect is named.
func plant(defect string) (parts, error) {
	whole := standard()
	if defect == "" {
		return whole, nil
	}
	replace, known := defects[defect]
	if !known {
		return parts{}, errors.New("BILLING_DEFECT names no defect")
	}
	replace(&whole)
	return whole, nil
}

// defects are the planted faults, each with what it replaces; expected.toml says what must catch it.
var defects = map[string]func(*parts){
	// io.LimitReader ends a body without an error where it is too long, so that what is verified is half of it.
	"long_body_cut": func(p *parts) {
		p.readDelivery = func(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
			return io.ReadAll(io.LimitReader(r.Body, 64<<10))
		}
	},

	// A delivery that took long to come is welcome too, and so is one that somebody has kept.
	"tolerance_ignored": func(p *parts) {
		p.verify = webhook.ConstructEventIgnoringTolerance
	},

	// Events of any version are taken, and what has moved since is missing from them.
	"version_mismatch_ignored": func(p *parts) {
		p.verify = func(body []byte, signature, secret string) (stripe.Event, error) {
			return webhook.ConstructEventWithOptions(body, signature, secret,
				webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
		}
	},

	// A map knows what has been handled, until the process ends; then the table refuses what it has already.
	"deduplication_in_memory": func(p *parts) {
		var known sync.Map
		p.remember = func(ctx context.Context, _ *store, tx *sql.Tx, event stripe.Event) (bool, error) {
			if _, repeated := known.LoadOrStore(event.ID, true); repeated {
				return false, nil
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO events (id, type, created, received) VALUES (?, ?, ?, ?)",
				event.ID, string(event.Type), event.Created, time.Now().Unix())
			return true, err
		}
	},

	// The answer goes out first, and the work is done twice a second: what the process ends before is lost.
	"work_after_answer": func(p *parts) {
		queue := make(chan func(context.Context) error, 10_000)
		go func() {
			for range time.Tick(500 * time.Millisecond) {
				for range len(queue) {
					_ = (<-queue)(context.Background())
				}
			}
		}()
		p.work = func(_ context.Context, apply func(context.Context) error) error {
			queue <- apply
			return nil
		}
	},

	// A queue that is full takes no more, and nobody hears of that either.
	"queue_drops_when_full": func(p *parts) {
		queue := make(chan func(context.Context) error, 1)
		go func() {
			for apply := range queue {
				_ = apply(context.Background())
			}
		}()
		p.work = func(_ context.Context, apply func(context.Context) error) error {
			select {
			case queue <- apply:
			default:
			}
			return nil
		}
	},

	// The event that comes last counts, whenever it was made.
	"order_ignored": func(p *parts) {
		p.weigh = func(entry, []any, int64, int64) outcome { return applied }
	},

	// Of two events of one second the last one to come counts.
	"last_of_a_second_wins": func(p *parts) {
		weigh := p.weigh
		p.weigh = func(held entry, told []any, created, settled int64) outcome {
			if done := weigh(held, told, created, settled); done != contested {
				return done
			}
			return applied
		}
	},

	// An event without an object is taken for one that has it, and the panic is shown with its stack.
	"stack_shown": func(p *parts) {
		p.read = readUnchecked
		p.answerPanic = func(w http.ResponseWriter, cause any) {
			http.Error(w, fmt.Sprintf("%v\n\n%s", cause, debug.Stack()), http.StatusInternalServerError)
		}
	},

	// The same panic, which nothing recovers from but net/http, by closing the connection.
	"panic_unanswered": func(p *parts) {
		p.read = readUnchecked
		p.answerPanic = func(http.ResponseWriter, any) { panic(http.ErrAbortHandler) }
	},

	// The body is logged as it came, "for debugging".
	"payload_logged": func(p *parts) {
		p.logDelivery = func(log *slog.Logger, done string, event stripe.Event, body []byte) {
			log.Info(done, "id", event.ID, "type", string(event.Type), "body", string(body))
		}
	},

	// http.Error with the text of the error: all that Stripe said, as JSON.
	"error_passed_on": func(p *parts) {
		p.answerFailure = func(w http.ResponseWriter, status int, _ failure, err error) {
			http.Error(w, err.Error(), status)
		}
	},

	// The error is logged as it is.
	"error_logged": func(p *parts) {
		p.describe = func(err error) []any { return []any{"error", err.Error()} }
	},

	// The SDK writes down each answer of Stripe's to the letter.
	"sdk_debug_log": func(p *parts) {
		backend := p.backend
		p.backend = func() *stripe.BackendConfig {
			config := backend()
			config.LeveledLogger = &stripe.LeveledLogger{Level: stripe.LevelDebug}
			return config
		}
	},

	// What the SDK returns is a *stripe.Error that holds a *stripe.CardError, so that this never is one.
	"error_type_asserted": func(p *parts) {
		p.explain = func(err error) (int, failure) {
			if _, declined := err.(*stripe.CardError); declined {
				return http.StatusPaymentRequired, failure{Code: "payment_declined"}
			}
			return http.StatusServiceUnavailable, failure{Code: "payments_unavailable"}
		}
	},

	// What came to nothing is left at that.
	"never_retried": func(p *parts) {
		backend := p.backend
		p.backend = func() *stripe.BackendConfig {
			config := backend()
			config.MaxNetworkRetries = stripe.Int64(0)
			return config
		}
	},

	// A loop around the SDK, which makes a key of its own for each call.
	"new_key_each_attempt": func(p *parts) {
		ask := p.ask
		p.ask = func(ctx context.Context, call func(context.Context, string) (string, error)) (id string, err error) {
			for range 3 {
				if id, err = ask(ctx, call); err == nil {
					break
				}
			}
			return id, err
		}
	},

	// http.Client's own timeout is none, and the request's is not passed on.
	"timeout_missing": func(p *parts) {
		ask, backend := p.ask, p.backend
		p.backend = func() *stripe.BackendConfig {
			config := backend()
			config.HTTPClient = &http.Client{}
			return config
		}
		p.ask = func(_ context.Context, call func(context.Context, string) (string, error)) (string, error) {
			return ask(context.Background(), call)
		}
	},

	// The SDK's own client follows redirects, and takes the call's body with it.
	"redirects_followed": func(p *parts) {
		backend := p.backend
		p.backend = func() *stripe.BackendConfig {
			config := backend()
			config.HTTPClient.CheckRedirect = nil
			return config
		}
	},

	// Whoever answers in Stripe's place is believed.
	"certificate_not_verified": func(p *parts) {
		backend := p.backend
		p.backend = func() *stripe.BackendConfig {
			config := backend()
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
			config.HTTPClient.Transport = transport
			return config
		}
	},

	// Whoever knows an id may use it.
	"ownership_not_checked": func(p *parts) {
		p.owns = func(context.Context, *store, caller, string) (bool, error) { return true, nil }
	},

	// Amounts are floats: 500.5 cents are 500 on the way to Stripe.
	"amount_as_float": func(p *parts) {
		p.readAmount = func(text json.RawMessage) (int64, error) {
			var amount float64
			err := json.Unmarshal(text, &amount)
			return int64(amount), err
		}
	},

	// The SDK's own parameters are decoded from the request: whoever knows their names sets them.
	"params_from_body": func(p *parts) {
		p.newCustomer = func(body []byte) (*stripe.CustomerCreateParams, error) {
			params := &stripe.CustomerCreateParams{}
			return params, json.Unmarshal(body, params)
		}
	},
}

func readUnchecked(event stripe.Event) (*record, error) {
	object := event.Data.Raw
	if kind, handled := kinds[event.Type]; handled {
		return readObject(kind, object)
	}
	return nil, nil
}
