-- title: Calls by key
-- answers: Which keys are called on, and how much of it is cryptography.
-- column key: ARN of the key; of the alias, where the trail tells no key behind it.
-- column calls: How many calls name it. A call that names two keys counts for each.
-- column cryptographic: How many of them are cryptographic operations.
-- column errors: How many of them failed.
-- column principals: By how many principals.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  key,
  count(*) as calls,
  count(case when is_cryptographic then 1 end) as cryptographic,
  count(error_code) as errors,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from call_keys
group by key
order by calls desc, key
