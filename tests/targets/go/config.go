package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A placeholder that an example left there is no secret: anybody could sign with it.
var (
	webhookSecret = regexp.MustCompile(`^whsec_[A-Za-z0-9+/=_-]{24,}$`)
	apiKey        = regexp.MustCompile(`^(sk|rk)_(test|live)_[A-Za-z0-9]{16,}$`)
)

// config is what the environment says.
type config struct {
	port          string
	database      string
	certificate   string
	key           string
	stripeBase    string
	stripeKey     string
	webhookSecret string
	callers       []caller
	defect        string
}

// liveMode tells whether the service works with real money, and so which events are its own.
func (c config) liveMode() bool { return strings.Contains(c.stripeKey, "_live_") }

func readConfig() (config, error) {
	var missing []error
	required := func(name string) string {
		value := strings.TrimSpace(os.Getenv(name))
		if value == "" {
			missing = append(missing, fmt.Errorf("the environment variable %s is not set", name))
		}
		return value
	}
	c := config{
		port:          os.Getenv("PORT"),
		database:      required("BILLING_DATABASE"),
		certificate:   required("BILLING_TLS_CERTIFICATE"),
		key:           required("BILLING_TLS_KEY"),
		stripeBase:    required("STRIPE_API_BASE"),
		stripeKey:     required("STRIPE_API_KEY"),
		webhookSecret: required("STRIPE_WEBHOOK_SECRET"),
		callers: []caller{
			newCaller(required("BILLING_TOKEN"), customerService, "one"),
			newCaller(required("BILLING_READER_TOKEN"), reader, "one"),
			newCaller(required("BILLING_OTHER_TOKEN"), customerService, "other"),
		},
		defect: os.Getenv("BILLING_DEFECT"),
	}
	if c.port == "" {
		c.port = "0"
	}
	if err := errors.Join(missing...); err != nil {
		return config{}, err
	}
	if !webhookSecret.MatchString(c.webhookSecret) {
		return config{}, errors.New("STRIPE_WEBHOOK_SECRET is no signing secret of Stripe's")
	}
	if !apiKey.MatchString(c.stripeKey) {
		return config{}, errors.New("STRIPE_API_KEY is no secret key of Stripe's")
	}
	return c, nil
}
