"""Remedies for who may do what, and for input that is not to be taken."""

from collections.abc import Mapping

from payproof.domain.kind import Kind
from payproof.engine.remedies.lines import NO_DEBUG
from payproof.engine.remedies.remedy import Remedy

__all__ = ["ACCESS"]

ACCESS: Mapping[str, Remedy] = {
    Kind.ACCESS_GRANTED: Remedy(
        "Decide before anything is done: who asks, whether their role may, whether the object is their tenant's. Do so "
        "in one place that every route passes, and refuse what no rule allows.",
        frameworks={
            "django": "@login_required, @permission_required; get_object_or_404(Model, pk=pk, tenant=request.tenant).",
            "express": "app.use(authenticate) before all routes but the webhook; WHERE id = ? AND tenant_id = ?.",
            "fastapi": "FastAPI(dependencies=[Depends(authenticate)]); queries that filter by the caller's tenant.",
            "flask": "@app.before_request that refuses; queries that filter by g.tenant_id.",
            "hono": "app.use('*', authenticate) before all routes but the webhook.",
            "laravel": "Route::middleware(['auth', 'can:...']); $tenant->subscriptions()->findOrFail($id).",
            "net_http": "a middleware around the whole mux; queries with tenant_id from the context.",
            "nextjs": "check the session in each route handler, not in middleware alone (CVE-2025-29927).",
            "rails": "before_action :authenticate in ApplicationController; current_tenant.subscriptions.find(id).",
            "spring": "anyRequest().denyAll() last in the SecurityFilterChain; @PreAuthorize on methods.",
        },
    ),
    Kind.ACCESS_MISTOLD: Remedy(
        "Answer as [contract.access] says: 401 to who is unknown, 403 to who may not, 403 or 404 to others' ids."
    ),
    Kind.EXISTENCE_TOLD: Remedy(
        "Look an object up by its id and its tenant in one query, and answer 404 where there is none."
    ),
    Kind.LOCKOUT_MISSING: Remedy(
        "Count wrong credentials by account and address, and after ten at most let nobody in for 30 minutes, the right "
        "credential included."
    ),
    Kind.LOCKOUT_SPREADS: Remedy(
        "Lock out by account and address, so that who guesses does not shut out who owns the account; or say in "
        "[contract.lockout] elsewhere what is meant."
    ),
    Kind.LOCKOUT_WEAK: Remedy("Lock out after ten attempts at most, for 30 minutes at least (PCI DSS 8.3.4)."),
    Kind.VALUE_ASSIGNED: Remedy(
        "Take the fields by name that a sender may set, and pass no body on as it came, to a row or to Stripe.",
        frameworks={
            "django": "serializers and forms with fields = [...], never fields = '__all__'.",
            "express": "const { price } = req.body, never {...req.body}; or zod with .strict().",
            "fastapi": 'model_config = ConfigDict(extra="forbid"), and no tenant_id in a model of a request.',
            "laravel": "$request->validated() and $fillable, never $request->all().",
            "nextjs": "zod with .strict() around await request.json().",
            "rails": "params.require(:subscription).permit(:price_id), never permit!.",
            "spring": "a record for each request, never an entity as @RequestBody.",
        },
    ),
    Kind.INVALID_ACCEPTED: Remedy(
        "Validate each field before anything is done: its type, its bounds, its choices. Answer 400 or 422, and say "
        "nothing back."
    ),
    Kind.CARD_ACCEPTED: Remedy(
        "Refuse fields that nobody expects, and requests that hold a card number, with a general 4xx: then whoever "
        "sends one learns that it must not come here."
    ),
    Kind.METHOD_EFFECT: Remedy("Route POST alone to the webhook, and verify the signature whatever the method."),
    Kind.REQUEST_TRACED: Remedy(
        "Refuse TRACE at the proxy and in the application: TraceEnable off in Apache, allowTrace=false in Tomcat."
    ),
    Kind.FILE_SHOWN: Remedy(
        "Serve one folder of public files and nothing above it, and deploy no dot files, backups or pages for "
        "developers. Roll each secret that was shown.",
        frameworks=NO_DEBUG,
    ),
}
