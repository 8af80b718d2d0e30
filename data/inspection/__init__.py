"""What is asked of the company's tables themselves: storage, foreign keys, deleted_at, triggers."""

from data.inspection.deletion_column import unusable
from data.inspection.foreign_keys import (
    DANGEROUS,
    ForeignKey,
    dangerous_keys,
    foreign_keys,
    key_name,
    keys_to_customers,
    mending,
    reaching_keys,
)
from data.inspection.hidden import hidden_rows, see_every_row
from data.inspection.names import (
    LONGEST_NAME,
    assigns,
    master,
    mentions,
    name_of_index,
    placed,
    quoted,
    quoted_table,
    shortened,
    unescaped,
)
from data.inspection.presence import index_names, is_there, read_nothing
from data.inspection.tables import (
    cautions,
    column_information,
    has_policies,
    is_clustered,
    is_strict,
    is_view,
    kind_of,
    roughly,
    storage,
)
from data.inspection.triggers import Trigger, shows_triggers, triggers_of

__all__ = [
    "DANGEROUS",
    "LONGEST_NAME",
    "ForeignKey",
    "Trigger",
    "assigns",
    "cautions",
    "column_information",
    "dangerous_keys",
    "foreign_keys",
    "has_policies",
    "hidden_rows",
    "index_names",
    "is_clustered",
    "is_strict",
    "is_there",
    "is_view",
    "key_name",
    "keys_to_customers",
    "kind_of",
    "master",
    "mending",
    "mentions",
    "name_of_index",
    "placed",
    "quoted",
    "quoted_table",
    "reaching_keys",
    "read_nothing",
    "roughly",
    "see_every_row",
    "shortened",
    "shows_triggers",
    "storage",
    "triggers_of",
    "unescaped",
    "unusable",
]
