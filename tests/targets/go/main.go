// Command billing is a small billing service on net/http, stripe-go and SQLite. It listens by HTTPS on this machine
// only, takes its settings from the environment, and logs JSON lines to standard output.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// What a stop waits for: the requests that are being answered.
const shutdownTime = 3 * time.Second

func main() {
	log := newLogger(os.Stdout)
	if err := run(log); err != nil {
		log.Error("service_failed", "cause", err.Error())
		os.Exit(1)
	}
}

func run(log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	cfg, err := readConfig()
	if err != nil {
		return err
	}
	parts, err := plant(cfg.defect)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, cfg.database, parts)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer store.Close()

	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", cfg.port))
	if err != nil {
		return err
	}
	service := &service{config: cfg, parts: parts, store: store, stripe: newStripe(cfg, parts), log: log}
	server := &http.Server{
		Handler:           service.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       60 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ServeTLS(listener, cfg.certificate, cfg.key) }()
	log.Info("service_started", "port", listener.Addr().(*net.TCPAddr).Port)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := server.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	} else if err != nil {
		return err
	}
	return nil
}

// newLogger names the message "event", as what watches the log looks for.
func newLogger(output *os.File) *slog.Logger {
	return slog.New(slog.NewJSONHandler(output, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, attribute slog.Attr) slog.Attr {
			if len(groups) == 0 && attribute.Key == slog.MessageKey {
				attribute.Key = "event"
			}
			return attribute
		},
	}))
}
