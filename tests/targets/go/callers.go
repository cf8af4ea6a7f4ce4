package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

type role string

const (
	customerService role = "customer_service"
	reader          role = "reader"
)

// caller is somebody who is known: by the digest of the token, so that the token itself is not held.
type caller struct {
	digest [sha256.Size]byte
	role   role
	tenant string
}

func newCaller(token string, role role, tenant string) caller {
	return caller{digest: sha256.Sum256([]byte(token)), role: role, tenant: tenant}
}

type callerKey struct{}

func callerOf(r *http.Request) caller { return r.Context().Value(callerKey{}).(caller) }

// authenticated lets nobody pass who is not known.
func (s *service) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		given := sha256.Sum256([]byte(token))
		for _, known := range s.config.callers {
			if subtle.ConstantTimeCompare(given[:], known.digest[:]) == 1 && isBearer {
				next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, known)))
				return
			}
		}
		s.log.Warn("request_refused", "method", r.Method, "origin", originOf(r))
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeError(w, http.StatusUnauthorized, failure{Code: "unauthenticated"})
	})
}

// mayChange tells whether a caller may perform operations: customer service may do all of them, a reader none.
func mayChange(_ *http.Request, c caller) bool { return c.role == customerService }
