"""THE query module: every statement that the product runs, reads and writes.

Connection first, then the schema, ids next, the rest by keyword. Nothing here opens or commits.
"""

from data.queries.checks import (
    count_missing_customer_orders,
    last_check,
    list_missing_customers,
    monthly_part,
    record_check,
)
from data.queries.customers import (
    count_customers,
    find_by_email,
    get_customer,
    get_form_values,
    insert_customer,
    list_customers,
    list_deleted_ids,
    mark_deleted,
    mark_restored,
    update_customer,
)
from data.queries.events import (
    append_events,
    get_head,
    last_event_id,
    list_deletions,
    list_events,
    lock_head,
    stream_chain,
    touch_chain,
)
from data.queries.orders import get_customers_with_impact, impact
from data.queries.revenue import (
    list_deleted_by_revenue,
    month_bounds,
    monthly_deleted,
    monthly_no_customer,
    monthly_totals,
    revenue_by_month,
)

__all__ = [
    "append_events",
    "count_customers",
    "count_missing_customer_orders",
    "find_by_email",
    "get_customer",
    "get_customers_with_impact",
    "get_form_values",
    "get_head",
    "impact",
    "insert_customer",
    "last_check",
    "last_event_id",
    "list_customers",
    "list_deleted_by_revenue",
    "list_deleted_ids",
    "list_deletions",
    "list_events",
    "list_missing_customers",
    "lock_head",
    "mark_deleted",
    "mark_restored",
    "month_bounds",
    "monthly_deleted",
    "monthly_no_customer",
    "monthly_part",
    "monthly_totals",
    "record_check",
    "revenue_by_month",
    "stream_chain",
    "touch_chain",
    "update_customer",
]
