"""THE query module: every statement that the product runs, reads and writes.

Connection first, then the schema, ids next, the rest by keyword. Nothing here opens or commits.
"""

from data.queries.blocks import MonthOrders, month_blocks, month_currencies
from data.queries.checks import (
    count_missing_customer_orders,
    count_orders_of_deleted,
    count_state,
    last_check,
    list_missing_customers,
    list_named_but_gone,
    list_order_ids,
    monthly_long_way,
    monthly_part,
    order_chunks,
    record_check,
)
from data.queries.customers import (
    count_customers,
    find_by_email,
    get_customer,
    get_customers,
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
from data.queries.month import list_month_orders
from data.queries.orders import get_customers_with_impact, impact
from data.queries.revenue import (
    list_deleted_by_revenue,
    month_bounds,
    monthly_deleted,
    monthly_no_customer,
    monthly_totals,
    revenue_by_month,
)
from data.queries.rights import attempt, get_file, list_attempts, wait_shortly
from data.queries.seals import get_seal_rows, insert_seals, last_seal_action, list_seals, mark_unsealed

__all__ = [
    "MonthOrders",
    "append_events",
    "attempt",
    "count_customers",
    "count_missing_customer_orders",
    "count_orders_of_deleted",
    "count_state",
    "find_by_email",
    "get_customer",
    "get_customers",
    "get_customers_with_impact",
    "get_file",
    "get_form_values",
    "get_head",
    "get_seal_rows",
    "impact",
    "insert_customer",
    "insert_seals",
    "last_check",
    "last_event_id",
    "last_seal_action",
    "list_attempts",
    "list_customers",
    "list_deleted_by_revenue",
    "list_deleted_ids",
    "list_deletions",
    "list_events",
    "list_missing_customers",
    "list_month_orders",
    "list_named_but_gone",
    "list_order_ids",
    "list_seals",
    "lock_head",
    "mark_deleted",
    "mark_restored",
    "mark_unsealed",
    "month_blocks",
    "month_bounds",
    "month_currencies",
    "monthly_deleted",
    "monthly_long_way",
    "monthly_no_customer",
    "monthly_part",
    "monthly_totals",
    "order_chunks",
    "record_check",
    "revenue_by_month",
    "stream_chain",
    "touch_chain",
    "update_customer",
    "wait_shortly",
]
