"""What the database computes of the registry's rows."""

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Func, TextField


class TaskOf(Func):
    """What a signature's outputs answer, in the words of `inference.signature.Signature.task`; null where it has none.

    Optimization: computed when a row is written, so that no list reads signatures, which may be large.
    """

    template = (
        "CASE WHEN %(expressions)s IS NULL THEN NULL "
        "ELSE CASE jsonb_array_length(jsonb_path_query_array(%(expressions)s, '$.outputs[*].task')) WHEN 0 THEN NULL "
        "WHEN 1 THEN jsonb_path_query_first(%(expressions)s, '$.outputs[*].task') #>> '{}' "
        "ELSE CASE WHEN jsonb_path_exists(%(expressions)s, '$.outputs[*].task ? (@ != \"transform\")') "
        "THEN 'multi-output' ELSE 'transform' END END END"
    )
    output_field = TextField()


#: The words of a description; its index is built of the very same expression.
DESCRIPTION_WORDS = SearchVector("description", config="simple")


def words_beginning(term: str) -> SearchQuery:
    """Return the search for words that begin with `term`, whatever characters are in it."""
    quoted = term.replace("\\", "\\\\").replace("'", "''")
    return SearchQuery(f"'{quoted}':*", search_type="raw", config="simple")
