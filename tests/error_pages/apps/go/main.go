// Handlers of net/http as they are often written: what recovers from a panic and shows it, and what tells an error.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
)

func hook(http.ResponseWriter, *http.Request) {
	var event map[string]map[string]string
	event["data"]["customer"] = "cus_1"
}

func shown(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if cause := recover(); cause != nil {
				http.Error(w, fmt.Sprintf("%v\n%s", cause, debug.Stack()), 500)
			}
		}()
		next(w, r)
	}
}

func told(act func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := act(); err != nil {
			http.Error(w, err.Error(), 502)
		}
	}
}

func main() {
	log.SetOutput(io.Discard)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/stripe", shown(hook))
	mux.HandleFunc("POST /refused", told(func() error { _, err := net.Dial("tcp", "127.0.0.1:9"); return err }))
	mux.HandleFunc("POST /file", told(func() error { _, err := os.ReadFile("/srv/billing/keys/webhook.pem"); return err }))
	mux.HandleFunc("POST /generic", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, http.StatusText(500), 500)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, mux)
	page := func(path, method string) map[string]any {
		return map[string]any{"port": listener.Addr().(*net.TCPAddr).Port, "path": path, "method": method,
			"headers": map[string]string{"Content-Type": "application/json"}, "body": ""}
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"version": runtime.Version(),
		"pages": map[string]any{
			"go_panic_shown":   page("/webhooks/stripe", "POST"),
			"go_connect_error": page("/refused", "POST"),
			"go_file_error":    page("/file", "POST"),
			"go_generic_500":   page("/generic", "POST"),
			"go_404":           page("/nothing", "GET"),
			"go_405":           page("/webhooks/stripe", "GET"),
		},
	})
	io.ReadAll(os.Stdin)
}
