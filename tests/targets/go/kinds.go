package main

import (
	"context"
	"encoding/json"

	"github.com/stripe/stripe-go/v85"
)

// kind is a sort of Stripe's objects that the books hold, each in a table of its own.
type kind struct {
	table   string
	columns []string
	parse   func(object json.RawMessage) (*record, error)
	fetch   func(ctx context.Context, client *stripe.Client, id string) (*record, error)
}

// record is the state of one object: the values of its kind's columns. They hold ids, states, amounts and times; nothing
// of a card, and no name or address.
type record struct {
	kind   *kind
	id     string
	values []any
}

// newKind makes a kind of what stripe-go calls T.
func newKind[T any](
	table string,
	columns []string,
	id func(*T) string,
	values func(*T) []any,
	retrieve func(context.Context, *stripe.Client, string) (*T, error),
) *kind {
	k := &kind{table: table, columns: columns}
	k.parse = func(object json.RawMessage) (*record, error) {
		var parsed T
		if err := json.Unmarshal(object, &parsed); err != nil {
			return nil, err
		}
		return &record{kind: k, id: id(&parsed), values: values(&parsed)}, nil
	}
	k.fetch = func(ctx context.Context, client *stripe.Client, wanted string) (*record, error) {
		got, err := retrieve(ctx, client, wanted)
		if err != nil {
			return nil, err
		}
		if id(got) != wanted {
			return nil, errNoAnswer
		}
		return &record{kind: k, id: wanted, values: values(got)}, nil
	}
	return k
}

var subscriptions = newKind("subscriptions",
	[]string{"customer", "status", "price", "quantity", "current_period_end", "cancel_at_period_end"},
	func(s *stripe.Subscription) string { return s.ID },
	func(s *stripe.Subscription) []any {
		var price string
		var quantity, periodEnd int64
		if s.Items != nil {
			for _, item := range s.Items.Data {
				if item.Price != nil {
					price = item.Price.ID
				}
				quantity += item.Quantity
				periodEnd = max(periodEnd, item.CurrentPeriodEnd)
			}
		}
		return []any{customerID(s.Customer), string(s.Status), price, quantity, periodEnd, asInteger(s.CancelAtPeriodEnd)}
	},
	func(ctx context.Context, c *stripe.Client, id string) (*stripe.Subscription, error) {
		return c.V1Subscriptions.Retrieve(ctx, id, nil)
	},
)

var invoices = newKind("invoices",
	[]string{"customer", "subscription", "status", "amount_due", "amount_paid", "currency"},
	func(i *stripe.Invoice) string { return i.ID },
	func(i *stripe.Invoice) []any {
		var subscription string
		if parent := i.Parent; parent != nil && parent.SubscriptionDetails != nil && parent.SubscriptionDetails.Subscription != nil {
			subscription = parent.SubscriptionDetails.Subscription.ID
		}
		return []any{customerID(i.Customer), subscription, string(i.Status), i.AmountDue, i.AmountPaid, string(i.Currency)}
	},
	func(ctx context.Context, c *stripe.Client, id string) (*stripe.Invoice, error) {
		return c.V1Invoices.Retrieve(ctx, id, nil)
	},
)

var payments = newKind("payments",
	[]string{"customer", "status", "amount", "amount_received", "currency"},
	func(p *stripe.PaymentIntent) string { return p.ID },
	func(p *stripe.PaymentIntent) []any {
		return []any{customerID(p.Customer), string(p.Status), p.Amount, p.AmountReceived, string(p.Currency)}
	},
	func(ctx context.Context, c *stripe.Client, id string) (*stripe.PaymentIntent, error) {
		return c.V1PaymentIntents.Retrieve(ctx, id, nil)
	},
)

var charges = newKind("charges",
	[]string{"payment", "status", "amount", "amount_refunded", "currency", "disputed"},
	func(c *stripe.Charge) string { return c.ID },
	func(c *stripe.Charge) []any {
		return []any{paymentID(c.PaymentIntent), string(c.Status), c.Amount, c.AmountRefunded, string(c.Currency), asInteger(c.Disputed)}
	},
	func(ctx context.Context, c *stripe.Client, id string) (*stripe.Charge, error) {
		return c.V1Charges.Retrieve(ctx, id, nil)
	},
)

var refunds = newKind("refunds",
	[]string{"payment", "status", "amount", "currency"},
	func(r *stripe.Refund) string { return r.ID },
	func(r *stripe.Refund) []any {
		return []any{paymentID(r.PaymentIntent), string(r.Status), r.Amount, string(r.Currency)}
	},
	func(ctx context.Context, c *stripe.Client, id string) (*stripe.Refund, error) {
		return c.V1Refunds.Retrieve(ctx, id, nil)
	},
)

var disputes = newKind("disputes",
	[]string{"payment", "status", "amount", "currency"},
	func(d *stripe.Dispute) string { return d.ID },
	func(d *stripe.Dispute) []any {
		return []any{paymentID(d.PaymentIntent), string(d.Status), d.Amount, string(d.Currency)}
	},
	func(ctx context.Context, c *stripe.Client, id string) (*stripe.Dispute, error) {
		return c.V1Disputes.Retrieve(ctx, id, nil)
	},
)

var allKinds = []*kind{subscriptions, invoices, payments, charges, refunds, disputes}

// kinds says what the events of each type are about. An event of another type is recorded, and means nothing else.
var kinds = map[stripe.EventType]*kind{
	stripe.EventTypeCustomerSubscriptionCreated:              subscriptions,
	stripe.EventTypeCustomerSubscriptionUpdated:              subscriptions,
	stripe.EventTypeCustomerSubscriptionDeleted:              subscriptions,
	stripe.EventTypeCustomerSubscriptionPaused:               subscriptions,
	stripe.EventTypeCustomerSubscriptionResumed:              subscriptions,
	stripe.EventTypeCustomerSubscriptionPendingUpdateApplied: subscriptions,
	stripe.EventTypeCustomerSubscriptionTrialWillEnd:         subscriptions,
	stripe.EventTypeInvoiceCreated:                           invoices,
	stripe.EventTypeInvoiceFinalized:                         invoices,
	stripe.EventTypeInvoiceUpdated:                           invoices,
	stripe.EventTypeInvoicePaid:                              invoices,
	stripe.EventTypeInvoicePaymentSucceeded:                  invoices,
	stripe.EventTypeInvoicePaymentFailed:                     invoices,
	stripe.EventTypeInvoicePaymentActionRequired:             invoices,
	stripe.EventTypeInvoiceMarkedUncollectible:               invoices,
	stripe.EventTypeInvoiceVoided:                            invoices,
	stripe.EventTypePaymentIntentCreated:                     payments,
	stripe.EventTypePaymentIntentProcessing:                  payments,
	stripe.EventTypePaymentIntentRequiresAction:              payments,
	stripe.EventTypePaymentIntentAmountCapturableUpdated:     payments,
	stripe.EventTypePaymentIntentSucceeded:                   payments,
	stripe.EventTypePaymentIntentPaymentFailed:               payments,
	stripe.EventTypePaymentIntentCanceled:                    payments,
	stripe.EventTypeChargePending:                            charges,
	stripe.EventTypeChargeSucceeded:                          charges,
	stripe.EventTypeChargeFailed:                             charges,
	stripe.EventTypeChargeCaptured:                           charges,
	stripe.EventTypeChargeExpired:                            charges,
	stripe.EventTypeChargeUpdated:                            charges,
	stripe.EventTypeChargeRefunded:                           charges,
	stripe.EventTypeRefundCreated:                            refunds,
	stripe.EventTypeRefundUpdated:                            refunds,
	stripe.EventTypeRefundFailed:                             refunds,
	stripe.EventTypeChargeRefundUpdated:                      refunds,
	stripe.EventTypeChargeDisputeCreated:                     disputes,
	stripe.EventTypeChargeDisputeUpdated:                     disputes,
	stripe.EventTypeChargeDisputeFundsWithdrawn:              disputes,
	stripe.EventTypeChargeDisputeFundsReinstated:             disputes,
	stripe.EventTypeChargeDisputeClosed:                      disputes,
}

func customerID(c *stripe.Customer) string {
	if c == nil {
		return ""
	}
	return c.ID
}

func paymentID(p *stripe.PaymentIntent) string {
	if p == nil {
		return ""
	}
	return p.ID
}

func asInteger(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
