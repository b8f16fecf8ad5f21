-- title: Calls by event
-- answers: Which operations are called, and how often each fails.
-- column event_source: The service called.
-- column event_name: The operation.
-- column calls: How often it was called.
-- column errors: How many of the calls failed.
-- column principals: By how many principals.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  event_source,
  event_name,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
group by event_source, event_name
order by calls desc, event_source, event_name
