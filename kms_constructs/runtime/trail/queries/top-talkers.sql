-- title: Who calls on which key
-- answers: Which principals call on which keys, the busiest first.
-- column principal: As in the report by principal.
-- column key: ARN of the key.
-- column calls: How many calls of the principal name the key.
-- column cryptographic: How many of them are cryptographic operations.
-- column errors: How many of them failed.
-- column first_call: The first of the calls, UTC.
-- column last_call: The last of them, UTC.
select
  principal,
  key,
  count(*) as calls,
  count(case when is_cryptographic then 1 end) as cryptographic,
  count(error_code) as errors,
  min(event_time) as first_call,
  max(event_time) as last_call
from call_keys
group by principal, key
order by calls desc, principal, key
