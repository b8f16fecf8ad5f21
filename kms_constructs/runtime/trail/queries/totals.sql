-- title: Totals
-- answers: How much was recorded within the dates asked.
-- column calls: Calls, each counted once however many accounts recorded it.
-- column errors: How many of them failed.
-- column cryptographic: How many of them are cryptographic operations.
-- column principals: How many principals called.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  count(*) as calls,
  count(error_code) as errors,
  count(case when is_cryptographic then 1 end) as cryptographic,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from calls
