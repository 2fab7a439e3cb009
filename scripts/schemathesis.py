"""What scripts/schemathesis.toml cannot say."""

import schemathesis


@schemathesis.hook
def filter_query(context, query):
    """The filters of a list are an object whose fields become parameters. A field that is null, an empty list or an
    empty object becomes none: what was made to be wrong would not be sent, and could not be refused."""
    lists = ("fields", "order")
    return not query or all(
        name in lists or value not in (None, [], {}) for name, value in query.items()
    )
