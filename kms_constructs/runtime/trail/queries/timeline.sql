-- title: Calls on each key, day by day
-- answers: How the use of each key goes over time.
-- column day: The day, UTC.
-- column key: ARN of the key.
-- column calls: How many calls named it.
-- column cryptographic: How many of them are cryptographic operations.
-- column errors: How many of them failed.
select
  event_date as day,
  key,
  count(*) as calls,
  count(case when is_cryptographic then 1 end) as cryptographic,
  count(error_code) as errors
from call_keys
group by event_date, key
order by day, key
