-- title: Calls by encryption context
-- answers: What each key is used for, as the encryption contexts tell it.
-- column key: ARN of the key.
-- column encryption_context: JSON with its names sorted; for ReEncrypt that which belongs to the key.
-- column calls: How many calls named the key with this context.
-- column errors: How many of them failed.
-- column principals: By how many principals.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  key,
  encryption_context,
  count(*) as calls,
  count(error_code) as errors,
  count(distinct principal) as principals,
  min(event_time) as first_call,
  max(event_time) as last_call
from call_keys
where encryption_context is not null
group by key, encryption_context
order by calls desc, key, encryption_context
